# contained: a call of the interpreter that does not come back ends at the deadline
# expect: timeout
# options: --timeout 1s
from danube import pipeline, step

x = 9**9**9


@pipeline
def build():
    step.run("true")
