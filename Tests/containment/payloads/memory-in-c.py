# contained: memory asked for in one call of the interpreter is refused
# expect: error
from danube import pipeline, step

for grab in (lambda: bytearray(1 << 40), lambda: "a" * 2**40, lambda: [0] * 10**12,
             lambda: b"%0999999999d" % 1, lambda: list(range(10**9)), lambda: 1 << 10**11):
    try:
        grab()
    except (MemoryError, OverflowError):
        pass
bytearray(1 << 41)


@pipeline
def build():
    step.run("true")
