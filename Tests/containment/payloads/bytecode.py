# contained: byte code that no compiler makes ends that process
# expect: error
from danube import pipeline, step


def victim(a=1):
    return a


victim.__code__ = victim.__code__.replace(
    co_code=bytes([124, 255, 116, 255, 83, 0] * 64), co_stacksize=0, co_nlocals=1,
    co_varnames=("a",))


@pipeline
def build():
    step.run(f"echo {victim()}")
    step.run(f"echo {victim(id)}")
