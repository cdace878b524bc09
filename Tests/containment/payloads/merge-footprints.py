# contained: footprints that are compared without end become barriers
# expect: ok|error|timeout
from danube import pipeline, step


@pipeline
def build():
    for number in range(20_000):
        step.run("true", name=f"s{number}", inputs=[f"*a{number}"], outputs=[f"*b{number}"])
