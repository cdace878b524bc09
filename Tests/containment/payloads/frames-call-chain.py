# contained: call stacks end at a bound, and so do the ids made of them
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

channel.send(b"P", marshal.dumps((-1,), 2))
frames = tuple(
    (13, n, n - 1, "danubefile.py", 1, 1, 1, 1, "function" * 8) for n in range(1, 100_000))
channel.send(b"T", marshal.dumps(frames, 2))
channel.send(b"T", marshal.dumps(
    tuple((0, n, None, "true", 1, ()) for n in range(1, 90_000)), 2))


@pipeline
def build():
    step.run("true")
