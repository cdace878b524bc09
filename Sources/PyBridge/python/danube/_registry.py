"""The pipelines that a danubefile defined, in the order of their definitions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Pipeline:
    """A function under `@pipeline`.

    Attributes:
        name: The name given to the decorator, else the function's.
        function: The function itself, undecorated by this package.
        image: Container image of steps that name none, or None.
        doc: The docstring without its indentation, or "".
        concurrency: The group of jobs of which one runs at a time, or None.
        concurrency_rule: What a job does when its group is taken, or None.
    """

    __slots__ = ("concurrency", "concurrency_rule", "doc", "function", "image", "name")

    def __init__(
        self,
        name: str,
        function: Callable[..., object],
        image: str | None,
        doc: str,
        concurrency: str | None,
        concurrency_rule: str | None,
    ) -> None:
        self.name = name
        self.function = function
        self.image = image
        self.doc = doc
        self.concurrency = concurrency
        self.concurrency_rule = concurrency_rule

    def __repr__(self) -> str:
        return f"Pipeline({self.name!r})"


pipelines: list[Pipeline] = []

# Flags of code objects that are not plain functions: generator, coroutine, asynchronous generator.
_NOT_PLAIN = 0x20 | 0x80 | 0x200


def register(
    function: Callable[..., object],
    name: str | None,
    image: str | None,
    concurrency: str | None = None,
    concurrency_rule: str | None = None,
) -> None:
    """Adds a function to `pipelines`.

    Raises:
        TypeError: It is a generator or `async`, whose body a call would not run, or no function.
    """
    if not callable(function):
        raise TypeError(f"@pipeline needs a function, not {type(function).__name__}")
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _NOT_PLAIN:
        raise TypeError(
            f"pipeline {function.__name__!r} must be a plain function, without `yield` or `async`"
        )
    own_name = getattr(function, "__name__", "pipeline")
    doc = _dedented(getattr(function, "__doc__", None) or "")
    shown = own_name if name is None else name
    pipelines.append(Pipeline(shown, function, image, doc, concurrency, concurrency_rule))


def _dedented(doc: str) -> str:
    """The docstring as a reader sees it: as `inspect.cleandoc`, without importing it."""
    lines = doc.expandtabs().split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(indents, default=0)
    cleaned = [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]
    return "\n".join(line.rstrip() for line in cleaned).strip("\n")
