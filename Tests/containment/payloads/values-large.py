# contained: texts of megabytes are refused or kept within the bounds
# expect: error|ok
from danube import pipeline, step


@pipeline
def build():
    step.run("x" * (2 << 20), name="n" * (2 << 20))
    step.run("true", env={"E" * (1 << 20): "v" * (4 << 20)}, inputs=["a/" * 500_000])
