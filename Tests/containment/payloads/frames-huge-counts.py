# contained: a count beyond what is there is refused before anything is reserved
# expect: error
import marshal
import sys

from danube import pipeline, step

channel = sys.modules["_danube_channel"]

import struct

for count in (0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 1 << 24):
    channel.send(b"T", b"(" + struct.pack("<I", count) + b"N" * 64)


@pipeline
def build():
    step.run("true")
