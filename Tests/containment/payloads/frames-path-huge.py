# contained: a request has room for a path and no more
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

channel.send(b"Q", marshal.dumps(("read", "a" * 10_000_000), 2))


@pipeline
def build():
    step.run("true")
