# contained: a folder beyond the bound on names is an error, not memory
# expect: error
# repository: many-files
import os

from danube import pipeline, step

os.listdir("many")


@pipeline
def build():
    step.run("true")
