# contained: the interpreter's own ways to crash end nothing but its process
# expect: ok|error
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module
faulthandler = load("faulthandler")
try:
    faulthandler.enable(file=3, all_threads=True)
except Exception:
    pass
faulthandler._sigsegv()


@pipeline
def build():
    step.run("true")
