# contained: a million names asked for are a bound that is reached, not memory
# expect: ok|error|timeout
# options: --timeout 3s
import os

from danube import pipeline, step

for number in range(1_000_000):
    os.path.exists(f"{number}/" + "p" * 2000)


@pipeline
def build():
    step.run("true")
