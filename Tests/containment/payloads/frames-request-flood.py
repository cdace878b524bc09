# contained: requests are counted and take no longer than the evaluation may
# expect: timeout|error
# options: --timeout 1s
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

question = marshal.dumps(("list", ""), 2)
while True:
    channel.send(b"Q", question)
    channel.recv()


@pipeline
def build():
    step.run("true")
