# contained: a recorder that was taken over sends nothing that is believed
# expect: error
import sys

from danube import pipeline, step

recorder = sys.modules["danube_dryrun._session"].Session
emit = recorder.emit


def forged(self, i, token):
    emit(self, i, token)
    for number in (-1, 1 << 30, 7):
        self._tokens.append((11, number))


recorder.emit = forged


@pipeline
def build():
    step.run("true")
