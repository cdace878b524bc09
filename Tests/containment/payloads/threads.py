# contained: no thread starts, from whatever module
# expect: error|ok
# forbidden: THREAD-STARTED
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module
sys.modules.pop("posix")
posix = load("posix")

def forever():
    while True:
        pass


for name in ("_thread",):
    sys.modules.pop(name, None)
    module = load(name)
    for call in (module.start_new_thread, module.start_new):
        try:
            call(forever, ())
            print("THREAD-" + "STARTED")
        except (RuntimeError, OSError, PermissionError):
            pass


@pipeline
def build():
    step.run("true")
