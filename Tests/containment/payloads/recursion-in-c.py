# contained: a stack that overflows in the interpreter's own code ends that process
# expect: error|timeout
# options: --timeout 2s
import sys

from danube import pipeline, step

sys.setrecursionlimit(1 << 30)


class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x")

    __repr__ = __str__ = lambda self: repr([self])


@pipeline
def build():
    step.run(f"echo {Deep()!r}")
