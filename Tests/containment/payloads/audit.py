# contained: hooks of the danubefile's own change nothing but its own process
# expect: ok|error|timeout
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module


def hook(event, arguments):
    if event.startswith(("compile", "exec", "marshal", "object", "import")):
        raise RuntimeError(event)


channel = sys.modules["_danube_channel"]
channel.audit(lambda *_: None)
try:
    load("_posixsubprocess").fork_exec(
        [b"/bin/touch", b"/tmp/danube-tripwire-audit"], [b"/bin/touch"], True, (), None, None, -1,
        -1, -1, -1, -1, -1, -1, -1, False, False, -1, None, None, None, -1, None, False)
except Exception:
    pass
sys.addaudithook(hook)


@pipeline
def build():
    step.run("true")
