# contained: a chain of decisions ends at the bound on paths
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

channel.send(b"P", marshal.dumps((-1,), 2))
channel.send(b"T", marshal.dumps(((0, 0, "s", "true", 0, ()),), 2))
many = marshal.dumps(tuple((3, ("k", 0, (n % 255, n % 255)), True, 0) for n in range(200_000)), 2)
for _ in range(4):
    channel.send(b"T", many)


@pipeline
def build():
    step.run("true")
