# contained: limits that the evaluator forgot are the compiler's all the same
# expect: error
# options: --timeout 20s
import sys

from danube import pipeline, step


@pipeline
def build():
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            session = getattr(value, "session", None)
            if hasattr(session, "max_steps"):
                session.max_steps = session.max_paths = session._max_output = 1 << 60
        frame = frame.f_back
    for number in range(110_000):
        step.run("true", name=f"s{number}")
