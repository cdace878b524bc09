# contained: notes are counted by the compiler too
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

channel.send(b"P", marshal.dumps((-1,), 2))
for _ in range(8):
    channel.send(b"T", marshal.dumps(((2, 0, ""),) * 400_000, 2))


@pipeline
def build():
    step.run("true")
