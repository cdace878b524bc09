# contained: a finder that never finds ends at the deadline
# expect: timeout
# options: --timeout 1s
import sys

from danube import pipeline, step


class Finder:
    def find_spec(self, name, path=None, target=None):
        hoard = []
        while True:
            hoard.append(name * 10)
            if len(hoard) > 100_000:
                hoard.clear()


sys.meta_path.insert(0, Finder())
sys.path_hooks.append(lambda _: Finder())
import wave


@pipeline
def build():
    step.run("true")
