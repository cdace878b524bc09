# contained: requests whose answers nobody takes stop the exchange, not the compiler
# expect: timeout|error
# options: --timeout 1s
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

question = marshal.dumps(("read", "danubefile.py"), 2)
while True:
    channel.send(b"Q", question)


@pipeline
def build():
    step.run("true")
