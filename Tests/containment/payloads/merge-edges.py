# contained: a graph that is nearly all edges is refused, or put in program order
# expect: ok|error|timeout
from danube import pipeline, step


@pipeline
def build():
    for number in range(3_000):
        step.run("true", name=f"r{number}", inputs=["in/x*"], outputs=[f"r/{number}"])
    for number in range(3_000):
        step.run("true", name=f"w{number}", inputs=[f"q/{number}"], outputs=[f"in/x{number}"])
