"""Parameters of a pipeline: parsed from text by the annotations of its function."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from sdk_live import live

from danube._params import ParameterError, bind, signature

HEADER = """
from __future__ import annotations
from enum import Enum, IntEnum
from typing import Annotated, List, Literal, Optional, Sequence, Tuple, Union
class Env(Enum):
    PROD = "production"
    TEST = "test"
class Level(IntEnum):
    LOW = 1
    HIGH = 2
class Odd(Enum):
    A = ("a", 1)
    B = ("b", 2)
"""


def function(signature: str, *, lazy: bool = True) -> Callable[..., object]:
    """A function with this signature; `lazy` keeps its annotations as strings."""
    header = HEADER if lazy else HEADER.replace("from __future__ import annotations", "")
    names: dict[str, object] = {}
    exec(f"{header}\ndef build({signature}): ...", names)
    build = names["build"]
    assert callable(build)
    return build


ACCEPTED = [
    ("x: str", "a b", "a b", "str", "a b"),
    ("x: str", "", "", "str", ""),
    ("x", "7", "7", "str", "7"),
    ("x=3", "7", 7, "int", 7),
    ("x=None", "7", "7", "str", "7"),
    ("x: int", " -12 ", -12, "int", -12),
    ("x: float", "1e3", 1000.0, "float", 1000.0),
    ("x: float", "2", 2.0, "float", 2.0),
    ("x: bool", "Yes", True, "bool", True),
    ("x: bool", "off", False, "bool", False),
    ("x: Literal['a', 'b']", "b", "b", "literal", "b"),
    ("x: Literal[1, 2]", "2", 2, "literal", 2),
    ("x: Literal[True, 'auto']", "true", True, "literal", True),
    ("x: list[int]", "1, 2,3", [1, 2, 3], "list[int]", [1, 2, 3]),
    ("x: list[str]", "", [], "list[str]", []),
    ("x: list[str]", '["a,b", "c"]', ["a,b", "c"], "list[str]", ["a,b", "c"]),
    ("x: list", "a,b", ["a", "b"], "list[str]", ["a", "b"]),
    ("x: List[bool]", "true,no", [True, False], "list[bool]", [True, False]),
    ("x: Sequence[float]", "1,2.5", [1.0, 2.5], "list[float]", [1.0, 2.5]),
    ("x: tuple[int, ...]", "1,2", (1, 2), "list[int]", [1, 2]),
    ("x: Tuple[str, ...]", "a", ("a",), "list[str]", ["a"]),
    ("x: list[Literal['a', 'b']]", "a,b", ["a", "b"], "list[literal]", ["a", "b"]),
    ("x: Optional[int]", "5", 5, "int", 5),
    ("x: int | None", "", None, "int", None),
    ("x: str | None", "", "", "str", ""),
    ("x: Union[None, str]", "a", "a", "str", "a"),
    ("x: Optional[list[int]]", "1", [1], "list[int]", [1]),
    ("x: Annotated[int, 'how many']", "5", 5, "int", 5),
    ("*, x: int", "5", 5, "int", 5),
]


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize(("text", "given", "value", "word", "json"), ACCEPTED)
def test_text_becomes_a_value_of_the_annotated_type(
    text: str, given: str, value: object, word: str, json: object, lazy: bool
) -> None:
    arguments, values = bind(function(text, lazy=lazy), {"x": given})
    assert arguments == {"x": value} and type(arguments["x"]) is type(value)
    assert values == [("x", word, json)]


@pytest.mark.parametrize(
    ("text", "given", "name", "json"),
    [
        ("x: Env", "production", "PROD", "production"),
        ("x: Env", "TEST", "TEST", "test"),
        ("x: Level", "2", "HIGH", 2),
        ("x: Odd", "B", "B", "B"),
        ("x: Optional[Env]", "test", "TEST", "test"),
    ],
)
def test_an_enum_is_given_by_value_or_name(text: str, given: str, name: str, json: object) -> None:
    arguments, values = bind(function(text), {"x": given})
    assert getattr(arguments["x"], "name") == name
    assert values == [("x", "enum", json)]


@pytest.mark.parametrize(
    ("text", "value", "word"),
    [
        ("x: str = 'a'", "a", "str"),
        ("x: int | None = None", None, "int"),
        ("x: list[str] = ['a']", ["a"], "list[str]"),
        ("x=(1, 2)", (1, 2), "list[int]"),
        ("*, x: bool = False", False, "bool"),
        ("x: float = 2", 2, "float"),
        ("x: Literal['a', 'b'] = 'b'", "b", "literal"),
    ],
)
def test_a_default_fills_in(text: str, value: object, word: str) -> None:
    arguments, values = bind(function(text), {})
    assert arguments == {"x": value}
    assert values[0][1] == word


def test_parameters_keep_the_order_of_the_signature() -> None:
    arguments, values = bind(function("b, a=1, *, d, c=2"), {"d": "x", "b": "y"})
    assert [name for name, _, _ in values] == ["b", "a", "d", "c"]
    assert arguments == {"b": "y", "a": 1, "d": "x", "c": 2}


def test_a_default_list_is_not_shared() -> None:
    build = function("x: list[str] = []")
    first = bind(build, {})[0]["x"]
    assert isinstance(first, list)
    first.append("a")
    assert bind(build, {})[0] == {"x": []}


@pytest.mark.parametrize(
    ("text", "given", "code", "message", "hint"),
    [
        ("target: str = ''", {"taregt": "x"}, "DNB601", "the pipeline has no parameter `taregt`",
         "did you mean `target`?"),
        ("a=1, b=2", {"zzzzzz": "x"}, "DNB601", "the pipeline has no parameter `zzzzzz`",
         "it has: a, b"),
        ("", {"a": "x"}, "DNB601", "the pipeline has no parameter `a`",
         "add it to the signature of the pipeline's function"),
        ("x: int", {}, "DNB602", "parameter `x` is missing",
         "give it: `--param x=1`, or give it a default in the signature"),
        ("x: int", {"x": "ten"}, "DNB603", "parameter `x` is 'ten', not a whole number",
         "write digits, such as 42"),
        ("x: int", {"x": "1_0"}, "DNB603", "parameter `x` is '1_0', not a whole number",
         "write digits, such as 42"),
        ("x: int", {"x": "٣"}, "DNB603", "parameter `x` is '٣', not a whole number",
         "write digits, such as 42"),
        ("x: float", {"x": "nan"}, "DNB603", "parameter `x` is 'nan', not a number",
         "write digits, such as 1.5 or 2"),
        ("x: float", {"x": "1e999"}, "DNB603", "parameter `x` is '1e999', not a number",
         "write digits, such as 1.5 or 2"),
        ("x: bool", {"x": "maybe"}, "DNB603", "parameter `x` is 'maybe', not a truth value",
         "write true or false"),
        ("x: Literal['linux', 'macos']", {"x": "linus"}, "DNB603",
         "parameter `x` is 'linus', which is none of its choices", "did you mean `linux`?"),
        ("x: Env", {"x": "zzz"}, "DNB603",
         "parameter `x` is 'zzz', which is none of its choices", "one of: production, test"),
        ("x: list[int]", {"x": "1,b"}, "DNB603", "parameter `x` is 'b', not a whole number",
         "write digits, such as 42"),
        ("x: list[str]", {"x": "[1"}, "DNB603", "parameter `x` is '[1', not a list",
         'write a,b,c or ["a", "b", "c"]'),
        ("x: int = 'a'", {}, "DNB603", "the default of parameter `x` is 'a', not a whole number",
         "make it a whole number, as the annotation says"),
        ("x: dict", {"x": "1"}, "DNB604",
         "parameter `x` has the type `dict`, which cannot be given as text",
         "use str, int, float, bool, Literal, an Enum, or a list of one of these"),
        ("x: list[list[int]]", {}, "DNB604",
         "parameter `x` is a list of lists, which cannot be given as text", "use a flat list"),
        ("x: int, /", {"x": "1"}, "DNB604", "parameter `x` is positional-only",
         "remove the `/` from the signature"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_a_hint(
    text: str, given: dict[str, str], code: str, message: str, hint: str | None
) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(function(text), given)
    error = caught.value
    assert (error.code, error.message, error.hint, error.others) == (code, message, hint, ())


def test_an_annotation_that_is_imported_for_type_checkers_only_is_explained() -> None:
    with pytest.raises(ParameterError) as caught:
        bind(function("x: Missing"), {"x": "1"})
    assert caught.value.code == "DNB604"
    assert caught.value.hint is not None and "TYPE_CHECKING" in caught.value.hint


def test_all_problems_are_found_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        bind(function("a: int, b: bool, c: int"), {"a": "x", "b": "y", "d": "z"})
    errors = [caught.value, *caught.value.others]
    assert [(error.parameter, error.code) for error in errors] == [
        ("a", "DNB603"), ("b", "DNB603"), ("c", "DNB602"), ("d", "DNB601"),
    ]  # fmt: skip


def test_a_wrapped_function_is_seen_through() -> None:
    inner = function("x: int")

    def wrapper(*arguments: object, **keywords: object) -> object:
        return inner(*arguments, **keywords)

    setattr(wrapper, "__wrapped__", inner)
    assert bind(wrapper, {"x": "1"})[0] == {"x": 1}


def test_a_signature_can_be_listed() -> None:
    target, count = signature(function("target: Literal['a', 'b'], count: int = 3"))
    assert (target.name, target.is_required, target.kind.choices) == ("target", True, ("a", "b"))
    assert (count.name, count.is_required, count.default, count.kind.word) == (
        "count", False, 3, "int")  # fmt: skip


def test_a_pipeline_gets_its_parameters(tmp_path: Path) -> None:
    source = textwrap.dedent("""
        from __future__ import annotations
        from danube import ctx, pipeline, step
        from enum import Enum
        class Env(Enum):
            PROD = "production"
            TEST = "test"
        @pipeline
        def p(env: Env = Env.TEST, *, count: int = 2) -> None:
            for number in range(count):
                step.run(f"{env.value} {number} {ctx.params['count']}")
    """)
    run = live(tmp_path, source, whole=True, params={"env": "PROD"})
    assert run.commands == ["production 0 2", "production 1 2"]
    run = live(tmp_path, source, whole=True, params={"count": "x"})
    assert run.outcome.message == "parameter `count` is 'x', not a whole number"
