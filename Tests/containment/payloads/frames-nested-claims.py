# contained: counts within counts do not add up to memory
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

import struct


def u(text):
    return b"u" + struct.pack("<I", len(text)) + text


# Every level claims as many parts as there are bytes after it.
level = b"(" + struct.pack("<I", 6) + u(b"m") + u(b"strip")
inner = b"".join(level + b"(" + struct.pack("<I", 15_000_000) + u(b"t") for _ in range(44))
token = b"(" + struct.pack("<I", 3) + b"i\2\0\0\0" + b"i\0\0\0\0"
body = token + b"(" + struct.pack("<I", 15_000_000) + u(b"t") + inner
channel.send(b"P", marshal.dumps((-1,), 2))
channel.send(b"T", b"(\1\0\0\0" + body + b"N" * (16_000_000 - len(body)))


@pipeline
def build():
    step.run("true")
