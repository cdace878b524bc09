# contained: a tracer sees the evaluator and can only spoil its own plan
# expect: ok|error|timeout
# options: --timeout 2s
import sys

from danube import pipeline, step


def tracer(frame, event, argument):
    for name, value in list(frame.f_locals.items()):
        if name in ("token", "payload", "kind") and event == "call":
            frame.f_locals[name] = None
    if frame.f_code.co_name == "emit":
        raise ValueError("no")
    return tracer


sys.settrace(tracer)
sys.setprofile(tracer)


@pipeline
def build():
    step.run("true")
