# contained: builtins that lie mislead only the liar's own process
# expect: ok|error|timeout
# options: --timeout 2s
import builtins

from danube import pipeline, step

builtins.len = lambda _: 1 << 70
builtins.isinstance = lambda *_: True
builtins.hash = lambda _: 0
builtins.type = lambda *_: str
builtins.__build_class__ = None
builtins.tuple = list
builtins.str = bytes


@pipeline
def build():
    step.run("true")
