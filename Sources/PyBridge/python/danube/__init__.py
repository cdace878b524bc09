"""Danube: pipelines as plain Python.

A `danubefile.py` at the root of a repository defines pipelines; `danube plan` compiles one to a
graph of steps without running anything, `danube run` runs it.

Example:
    from danube import parallel, pipeline, step

    @pipeline(image="node:22-alpine")
    def build() -> None:
        step.run("npm ci")
        with parallel():
            step.run("npm run lint")
            step.run("npm test")
"""

from danube._api import (
    Code,
    Output,
    PullRequest,
    Resources,
    Retry,
    Service,
    StepFailed,
    artifacts,
    ctx,
    files,
    parallel,
    pipeline,
    secrets,
    sequence,
    step,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from danube._matrix import Cell, matrix
else:

    def __getattr__(name):
        # Not every pipeline has a matrix: its module is loaded when one is imported.
        if name not in ("Cell", "matrix"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from danube import _matrix

        return getattr(_matrix, name)


__version__ = "0.1.0"

__all__ = [
    "Cell",
    "Code",
    "Output",
    "PullRequest",
    "Resources",
    "Retry",
    "Service",
    "StepFailed",
    "artifacts",
    "ctx",
    "files",
    "matrix",
    "parallel",
    "pipeline",
    "secrets",
    "sequence",
    "step",
]
