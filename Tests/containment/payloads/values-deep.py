# contained: values within each other end at a bound
# expect: error
from danube import pipeline, step

deep = "x"
for _ in range(200_000):
    deep = [deep]


@pipeline
def build():
    step.run(["echo", deep])
