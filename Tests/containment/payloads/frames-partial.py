# contained: half a frame and then nothing ends at the deadline
# expect: timeout
# options: --timeout 1s
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module
sys.modules.pop("posix")
posix = load("posix")

posix.write(3, b"\xff\xff\x0f\0T(")
while True:
    pass


@pipeline
def build():
    step.run("true")
