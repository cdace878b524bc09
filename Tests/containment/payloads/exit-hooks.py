# contained: what was to run at the end does not run
# expect: ok
# options: --timeout 2s
import atexit
import sys
import weakref

from danube import pipeline, step

channel = sys.modules["_danube_channel"]


class Last:
    def __del__(self):
        channel.send(b"T", b"(\xff\xff\xff\xff")
        while True:
            pass


last = Last()
cycle = [last]
cycle.append(cycle)
atexit.register(lambda: channel.send(b"D", b"N"))
weakref.finalize(Last, lambda: channel.send(b"D", b"N"))


@pipeline
def build():
    step.run("true")
