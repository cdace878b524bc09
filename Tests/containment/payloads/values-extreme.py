# contained: numbers that no field holds are diagnostics
# expect: error
from danube import Resources, Retry, pipeline, step


@pipeline
def build():
    step.run("true", name="a", timeout=10**400, retries=10**30)
    step.run("true", name="b", timeout=float("nan"), retries=-(1 << 63))
    huge = Resources(cpu=1e308, memory=1 << 200)
    step.run("true", name="c", timeout=float("inf"), resources=huge)
    step.run("true", name="d", retries=Retry(attempts=1 << 70, delay=-1.0, backoff=float("nan")))
    step.run("true", name="e", timeout="9" * 100_000 + "h")
