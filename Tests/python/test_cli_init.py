"""`danube init` in repositories as they are: it asks nothing, and what it writes plans at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli import ENVIRONMENT, MISTAKE, SUCCESS, Ended, commit, danube

PACKAGE = json.dumps(
    {
        "name": "web",
        "engines": {"node": ">=20"},
        "scripts": {"lint": "eslint .", "test": "vitest run", "build": "vite build"},
    },
    indent=2,
)
BARE_PACKAGE = json.dumps({"name": "web", "scripts": {"test": 'echo "no test specified"'}})

# A repository, and what its pipeline must say.
REPOSITORIES: dict[str, tuple[dict[str, str], list[str]]] = {
    "node-npm": (
        {"package.json": PACKAGE, "package-lock.json": "{}"},
        ['"npm ci"', '"npm run lint"', '"npm run test"', '"npm run build"', "node:20-slim"],
    ),
    "node-pnpm": (
        {"package.json": PACKAGE, "pnpm-lock.yaml": "lockfileVersion: 9"},
        ["corepack pnpm install --frozen-lockfile", "corepack pnpm run lint"],
    ),
    "node-yarn": (
        {"package.json": PACKAGE, "yarn.lock": ""},
        ["corepack yarn install --frozen-lockfile", "corepack yarn run test"],
    ),
    "node-yarn-modern": (
        {"package.json": PACKAGE, "yarn.lock": "", ".yarnrc.yml": "nodeLinker: node-modules"},
        ["corepack yarn install --immutable"],
    ),
    "node-package-manager-field": (
        {"package.json": PACKAGE.replace('"web",', '"web", "packageManager": "pnpm@9.1.0",')},
        ["corepack pnpm install", "corepack pnpm run test"],
    ),
    "node-without-lock": (
        {"package.json": BARE_PACKAGE, ".nvmrc": "v18.19.0\n"},
        ["npm install", "node:18-slim", "Commit a lock file"],
    ),
    "node-workspaces": (
        {
            "package.json": json.dumps({"workspaces": ["packages/*"], "scripts": {"test": "x"}}),
            "package-lock.json": "{}",
            "packages/a/package.json": PACKAGE,
        },
        ['"npm ci"', '"npm run test"'],
    ),
    "node-strange-scripts": (
        {"package.json": json.dumps({"name": '\u2603"\n', "scripts": {"lint": 'a "b" \\c'}})},
        ['"npm run lint"'],
    ),
    "node-malformed": (
        {"package.json": '{"name": "web", "scripts": {"test": ', "package-lock.json": ""},
        ["npm ci", "package.json is not JSON"],
    ),
    "node-not-an-object": ({"package.json": "[1, 2]"}, ["npm install"]),
    "node-deep": ({"package.json": "[" * 100_000}, ["npm install"]),
    "python-setup-py": (
        {"setup.py": "from setuptools import setup\nsetup()", "tests/test_a.py": ""},
        ["-e .", "unittest discover"],
    ),
    "python-pyproject": (
        {
            "pyproject.toml": '[project]\nname = "a"\n[project.optional-dependencies]\n'
            'dev = ["pytest", "mypy"]\n[tool.ruff]\nline-length = 100\n[tool.mypy]\nstrict = true\n'
            "[tool.pytest.ini_options]\n",
            ".python-version": "3.11.4\n",
        },
        ["-e '.[dev]'", "ruff check", "mypy", "pytest --junitxml", "python:3.11-slim", "artifacts"],
    ),
    "python-poetry": (
        {"pyproject.toml": "[tool.poetry]\nname = 'a'", "poetry.lock": ""},
        ["poetry install"],
    ),
    "python-poetry-without-lock": (
        {"pyproject.toml": "[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\nflask = '*'"},
        ["poetry install"],
    ),
    "python-uv": (
        {
            "pyproject.toml": "[project]\nname='a'\n[dependency-groups]\ndev=['pytest']",
            "uv.lock": "version = 1",
        },
        ["uv sync --frozen", "uv run pytest"],
    ),
    "python-uv-without-lock": (
        {"pyproject.toml": "[project]\nname='a'\n[tool.uv]\ndev-dependencies=['pytest']"},
        ['"uv sync"', "uv run pytest"],
    ),
    "python-build-backend": (
        {"pyproject.toml": "[build-system]\nrequires=['setuptools']", "setup.cfg": "[metadata]"},
        ["-e ."],
    ),
    "python-requirements": (
        {"requirements.txt": "flask\n", "requirements-dev.txt": "pytest\nflake8\n"},
        ["-r requirements.txt -r requirements-dev.txt", "flake8", "pytest", 'outputs=[".venv/"]'],
    ),
    "python-tox": ({"tox.ini": "[tox]\nenvlist = py311\n", "setup.cfg": ""}, [".venv/bin/tox"]),
    "python-malformed": ({"pyproject.toml": "[project\nname = ???\x00\n"}, ["compileall"]),
    "rust": (
        {"Cargo.toml": "[package]\nname = 'a'", "Cargo.lock": "", "src/main.rs": ""},
        ["cargo test --locked", "clippy", "cargo fmt"],
    ),
    "rust-workspace": (
        {
            "Cargo.toml": "[workspace]\nmembers = ['a', 'b']",
            "a/Cargo.toml": "[package]",
            "b/Cargo.toml": "[package]",
            "rust-toolchain.toml": '[toolchain]\nchannel = "1.79.0"',
        },
        ["cargo test --workspace", "rust:1.79.0"],
    ),
    "go": (
        {"go.mod": "module example.com/a\n\ngo 1.22.3\n", "main.go": "package main"},
        ["go vet ./...", "go test ./...", "golang:1.22"],
    ),
    "swift": (
        {"Package.swift": "// swift-tools-version: 5.10\n", "Tests/ATests/A.swift": ""},
        ["swift build", "swift test", "swift:5.10"],
    ),
    "java-maven": ({"pom.xml": "<project/>", "mvnw": ""}, ["./mvnw --batch-mode verify"]),
    "java-gradle": ({"build.gradle.kts": "", "gradlew": ""}, ["./gradlew build"]),
    "cmake": ({"CMakeLists.txt": ""}, ["cmake --build"]),
    "makefile": (
        {"Makefile": "all: x\n\tcc\ntest:\n\t./t\nlint check::\n\t./l\nX := a:b\n.PHONY: all\n"},
        ["make lint", "make all", "make test", "make check"],
    ),
    "container-only": ({"Dockerfile": "FROM scratch"}, ["buildah build"]),
    "mixed-at-the-root": (
        {"package.json": PACKAGE, "requirements.txt": "flask", "Dockerfile": "FROM scratch"},
        ['sequence("node")', 'sequence("python")', "buildah build"],
    ),
    "mixed-in-folders": (
        {
            "front end/package.json": PACKAGE,
            "api/go.mod": "module a\ngo 1.21",
            "tools/pyproject.toml": "[tool.pytest.ini_options]",
            "README.md": "",
        },
        ['workdir="front end"', 'workdir="api"', "tools/junit.xml"],
    ),
    "empty": ({}, ["Nothing was recognised here", "no checks yet"]),
    "prose-only": ({"README.md": "# Hi", "docs/a.md": ""}, ["Nothing was recognised here"]),
}


def make(folder: Path, files: dict[str, str]) -> Path:
    """Makes a repository of these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def initialise(root: Path) -> Ended:
    """Runs it where nobody can answer a question."""
    return danube("init", cwd=root)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_what_init_writes_fits_and_plans_without_a_word(
    name: str, tmp_path: Path, danube_program: Path
) -> None:
    files, said = REPOSITORIES[name]
    root = make(tmp_path / name, files)
    ended = initialise(root)
    assert (ended.status, ended.err) == (SUCCESS, ""), ended.err
    assert "danube plan" in ended.out
    text = (root / "danubefile.py").read_text()
    assert text.startswith("# "), "it begins with an explanation"
    # A long command is written as several strings, which Python joins.
    joined = "".join(line.strip() for line in text.split("\n")).replace('""', "")
    assert [one for one in said if one not in text and one not in joined] == [], text
    assert [line for line in text.splitlines() if len(line) > 100] == []

    planned = danube("plan", "--format", "json", cwd=root)
    assert (planned.status, planned.err) == (SUCCESS, ""), planned.err
    assert json.loads(planned.out)["steps"]
    linted = danube("lint", cwd=root)
    assert linted.status == SUCCESS and "no problems" in linted.out, linted.out


def test_init_looks_at_nothing_but_the_folder(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / "outer", {"package.json": PACKAGE})
    inner = make(root / "inner", {"go.mod": "module a"})
    assert initialise(inner).status == SUCCESS
    assert "go test" in (inner / "danubefile.py").read_text()
    assert not (root / "danubefile.py").exists()


def test_init_names_the_pipeline_after_the_folder(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / 'a "strange"\tname ☃', {})
    assert initialise(root).status == SUCCESS
    planned = danube("plan", "--format", "json", cwd=root)
    assert json.loads(planned.out)["pipeline"] == 'a "strange" name ☃', planned.err


def test_what_init_writes_plans_from_a_commit(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / "r", {"Cargo.toml": "[package]"})
    initialise(root)
    commit(root)
    planned = danube("plan", "--rev", "HEAD", "--event", "push", cwd=root)
    assert (planned.status, planned.err) == (SUCCESS, "")


def test_init_overwrites_only_on_purpose(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / "r", {"danubefile.py": "# mine\n", "go.mod": "module a"})
    ended = initialise(root)
    assert ended.status == MISTAKE
    assert "danubefile.py is there already" in ended.err and "--force" in ended.hints[0]
    assert (root / "danubefile.py").read_text() == "# mine\n"
    assert danube("init", "--force", cwd=root).status == SUCCESS
    assert "go test" in (root / "danubefile.py").read_text()


def test_init_does_not_write_through_a_link(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / "r", {})
    (root / "danubefile.py").symlink_to(tmp_path / "elsewhere")
    assert initialise(root).status == MISTAKE
    assert not (tmp_path / "elsewhere").exists()


def test_init_prints_what_it_would_write(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / "r", {"go.mod": "module a"})
    printed = danube("init", "--print", cwd=root)
    assert printed.status == SUCCESS and not (root / "danubefile.py").exists()
    initialise(root)
    assert (root / "danubefile.py").read_text() == printed.out


def test_init_takes_a_folder_and_a_name(tmp_path: Path, danube_program: Path) -> None:
    root = make(tmp_path / "r", {"go.mod": "module a"})
    assert danube("init", "-C", root, "-f", "ci.py").status == SUCCESS
    assert danube("plan", "-C", root, "-f", "ci.py").status == SUCCESS


def test_init_says_where_it_cannot_write(tmp_path: Path, danube_program: Path) -> None:
    missing = danube("init", "-C", tmp_path / "missing")
    assert missing.status == MISTAKE and "missing" in missing.err
    (tmp_path / "file").write_text("")
    file = danube("init", "-C", tmp_path / "file")
    assert file.status == MISTAKE and "Not a directory" in file.err
    no_folder = danube("init", "-C", tmp_path, "-f", "a/b.py")
    assert no_folder.status == MISTAKE and "a/b.py" in no_folder.err


def test_init_ends_with_the_environment_when_the_disk_is_full(danube_program: Path) -> None:
    ended = danube("init", "-C", "/dev", "-f", "full", "--force")
    assert ended.status == ENVIRONMENT
    assert "No space left" in ended.err
