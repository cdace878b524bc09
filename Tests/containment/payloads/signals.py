# contained: handlers and timers are not to be had, and nothing outlives the deadline
# expect: timeout
# options: --timeout 1s
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module
_signal = load("_signal")
for number in range(1, 65):
    for call in (lambda: _signal.signal(number, lambda *_: None),
                 lambda: _signal.signal(number, _signal.SIG_IGN),
                 lambda: _signal.siginterrupt(number, False)):
        try:
            call()
        except (OSError, ValueError, TypeError):
            pass
try:
    _signal.setitimer(0, 0.01, 0.01)
except OSError:
    pass
while True:
    pass


@pipeline
def build():
    step.run("true")
