"""The Python package and every fixture pass `mypy --strict`, and a wheel of the package builds."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from fixture_cases import SDK, Case, cases


def _mypy(folder: Path, *arguments: str, search: list[Path] | None = None) -> str:
    """What mypy complains about."""
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context",
         "--python-version", "3.11", "--cache-dir", str(folder / "cache"), *arguments],
        cwd=folder,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, search or []))},
        capture_output=True,
        text=True,
    )  # fmt: skip
    return found.stdout + found.stderr


def _groups(every: list[Case]) -> list[list[Case]]:
    """Fixtures that can be checked together: no two have a module of the same name."""
    groups: list[tuple[set[str], list[Case]]] = []
    for case in every:
        own = {path.stem for path in case.folder.iterdir() if path.suffix == ".py" or path.is_dir()}
        imported = {
            name
            for node in ast.walk(ast.parse(case.danubefile.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in _roots(node)
        }
        names = (own & imported) - {"danubefile"}
        for taken, members in groups:
            if not taken & names:
                taken |= names
                members.append(case)
                break
        else:
            groups.append((names, [case]))
    return [members for _, members in groups]


def _roots(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0]]
    return [alias.name.split(".")[0] for alias in node.names]


def test_the_package_is_strictly_typed(tmp_path: Path) -> None:
    assert _mypy(tmp_path, "-p", "danube", search=[SDK]) == ""


def test_every_fixture_is_strictly_typed(tmp_path: Path) -> None:
    for number, group in enumerate(_groups(cases("compile") + cases("projects"))):
        # All files are called danubefile.py, which mypy takes for one module: copy them.
        copies = tmp_path / str(number)
        copies.mkdir()
        for case in group:
            name = case.id.replace("/", "_").replace("-", "_")
            shutil.copy(case.danubefile, copies / f"{name}.py")
        search = [SDK, *(case.folder for case in group)]
        assert _mypy(tmp_path, *map(str, sorted(copies.iterdir())), search=search) == ""


def test_a_wheel_has_the_package_and_its_marker(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(SDK, source, ignore=shutil.ignore_patterns("__pycache__"))
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, source],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "danube/py.typed" in names and "danube/__init__.py" in names
    # The evaluator of the dry run belongs to the compiler and is not for users.
    assert not [name for name in names if "dryrun" in name]


def test_pip_builds_and_installs_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(SDK, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    installed = subprocess.run(
        [*pip, "install", "-q", "--no-index", "--no-build-isolation", "--no-deps",
         "--target", target, source],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stdout + installed.stderr
    file = tmp_path / "danubefile.py"
    shutil.copy(cases("projects")[0].danubefile, file)
    script = (
        f"import sys; sys.path[:0] = [{str(target)!r}]; import danube, runpy; "
        f"runpy.run_path({str(file)!r}); print(danube.__file__, danube.__version__)"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    where, version = ended.stdout.split()
    assert where == str(target / "danube" / "__init__.py")
    assert [one.name for one in target.glob("*.dist-info")] == [f"danube-{version}.dist-info"]
    # Editors find the types of an installed package.
    user = tmp_path / "user.py"
    user.write_text('import danube\nreveal_type(danube.step.run("x", capture=True))\n')
    shown = _mypy(tmp_path, str(user), search=[target])
    assert "Revealed type is" in shown and "Output" in shown and "error" not in shown, shown
