# contained: millions of empty lines end at the bound on output
# expect: error|timeout
from danube import pipeline, step


@pipeline
def build():
    for _ in range(10_000_000):
        print()
    step.run("true")
