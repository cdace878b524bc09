# contained: a pattern that takes for ever ends at the deadline
# expect: timeout
# options: --timeout 1s
import re

from danube import files, pipeline, step

files.glob("**/" * 12 + "*x")
re.match("(a|a|b?)*c" * 3, "a" * 64)


@pipeline
def build():
    step.run("true")
