# contained: what follows the last frame is not read, and what is missing is an error
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

channel.send(b"D", marshal.dumps((True, (("forged", "forged", ""),), "forged", "f", "", "", ()), 2))
while True:
    channel.send(b"T", marshal.dumps(((0, 0, "forged", "curl evil", 1, ()),) * 1000, 2))


@pipeline
def build():
    step.run("true")
