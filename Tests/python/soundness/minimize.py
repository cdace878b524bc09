"""Shrinks a danubefile by deleting statements while a test still fails."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def minimize(text: str, fails: Callable[[str], bool], rounds: int = 600) -> str:
    """The smallest text found for which `fails` is still true."""
    left = rounds
    shrunk = True
    while shrunk and left > 0:
        shrunk = False
        for candidate in _smaller(text):
            left -= 1
            if left <= 0:
                break
            try:
                worse = fails(candidate)
            except Exception:
                worse = False
            if worse:
                text, shrunk = candidate, True
                break
    return text


def _smaller(text: str) -> Iterator[str]:
    """Texts with one statement less, or one flattened; the largest cuts first."""
    places = _places(ast.parse(text))
    for number in sorted(range(len(places)), key=lambda n: -places[n][2]):
        for flatten in (False, True):
            tree = ast.parse(text)
            block, index, _ = _places(tree)[number]
            node = block[index]
            inner = _statements(node) if flatten else []
            if flatten and not inner:
                continue
            block[index : index + 1] = inner
            if not block:
                block.append(ast.Pass())
                if isinstance(node, ast.Pass):
                    continue
            try:
                found = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
                compile(found, "minimized", "exec")
            except (SyntaxError, ValueError, AttributeError, TypeError):
                continue
            if found != text and (len(found) < len(text) or flatten):
                yield found


def _statements(node: ast.AST) -> list[ast.stmt]:
    if not isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
        return []
    found = (
        list(node.body) + list(getattr(node, "orelse", [])) + list(getattr(node, "finalbody", []))
    )
    return found


def _places(tree: ast.AST) -> list[tuple[list[ast.AST], int, int]]:
    found: list[tuple[list[ast.AST], int, int]] = []
    for node in ast.walk(tree):
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list):
                for index, child in enumerate(block):
                    if isinstance(child, ast.AST):
                        found.append((block, index, sum(1 for _ in ast.walk(child))))
    return found
