# contained: what the collector finds of the recorder can be falsified, not its form
# expect: ok|error
import gc

from danube import pipeline, step


@pipeline
def build():
    step.run("true")
    for one in gc.get_objects():
        if type(one).__name__ == "Session":
            one._tokens[:] = [(0, 1, "forged", ("t", ("o", 9)), 1, ())] * 5
    step.run("false")
