# contained: steps that each need the one before them are merged without a deep stack
# expect: ok|timeout
# options: --timeout 20s
from danube import pipeline, step


@pipeline
def build():
    if step.run("test -f x", check=False) != 0:
        kind = "a"
    else:
        kind = "b"
    step.run("echo " + kind, name="kind")
    last = step.run("true", name="first")
    for number in range(40_000):
        last = step.run("true", name=f"s{number}", needs=[last])
