# contained: forged diagnostics are shortened, and show little of few files
# expect: error
# repository: large-files
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

one = ("DNB101", "error", "\x1b[31mm" * 2000, "h" * 9000)
many = tuple(one + (f"large{n % 40}", 1, 1, 1, 1, ()) for n in range(400))
channel.send(b"G", marshal.dumps(many, 2))
channel.send(b"D", marshal.dumps((True,), 2))


@pipeline
def build():
    step.run("true")
