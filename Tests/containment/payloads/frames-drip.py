# contained: a byte from time to time does not move the deadline
# expect: timeout
# options: --timeout 1s
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module
sys.modules.pop("posix")
posix = load("posix")

posix.write(3, b"\xff\xff\x0f\0T")
while True:
    for _ in range(20000):
        pass
    posix.write(3, b"N")


@pipeline
def build():
    step.run("true")
