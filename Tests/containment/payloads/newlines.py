# contained: a file that is nearly all line ends costs its size and no more
# expect: ok|error|timeout
# repository: newlines
from danube import pipeline, step


@pipeline(image="no image at all")
def build():
    step.run("true")
