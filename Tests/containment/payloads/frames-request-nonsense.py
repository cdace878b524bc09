# contained: verbs, types and paths that are none are refused
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

channel.send(b"Q", marshal.dumps(("write", "danubefile.py"), 2))
channel.recv()


@pipeline
def build():
    step.run("true")
