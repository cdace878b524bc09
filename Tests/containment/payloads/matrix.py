# contained: a matrix that multiplies out ends at the bound on steps
# expect: error|timeout
# options: --timeout 2s
from danube import matrix, pipeline, step

axis = [str(n) for n in range(100)]


@pipeline
def build():
    for cell in matrix(a=axis, b=axis, c=axis, d=axis, e=axis, f=axis):
        step.run("true", name=f"{cell.a}{cell.b}{cell.c}{cell.d}{cell.e}{cell.f}")
