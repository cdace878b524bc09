# contained: a plan has what came before the last frame and nothing else
# expect: ok|error
# forbidden: curl evil
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

real = channel.send


def send(kind, payload):
    real(kind, payload)
    if kind == b"D":
        for _ in range(100):
            real(b"T", marshal.dumps(((0, 0, "late", "curl evil", 1, ()),), 2))
        real(b"D", payload)


channel.send = send


@pipeline
def build():
    step.run("true")
