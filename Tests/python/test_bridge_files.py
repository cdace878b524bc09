"""What a danubefile sees of files, modules and the world, through the real bridge."""

from __future__ import annotations

import subprocess
import sys

import bridge_driver
import pytest

FILES = {
    "a.txt": b"hello\nworld\n", "sub/b.json": b'{"a": 1}', "helper.py": b"X = 1\n",
    "pkg/__init__.py": b"", "pkg/mod.py": b"from . import other\nY = other.W\n",
    "pkg/other.py": b"W = 5\n", "ns/q.py": b"Z = 2\n", "bad.py": b"x = (\n",
    "json.py": b"raise SystemExit('shadowed')\n", "latin.py": b"# coding: latin-1\n",
    "ci/tool.py": b"V = 3\n",
}


def run(code: str, **options: object) -> bridge_driver.Result:
    settings = {"file": "danubefile.py", "time": 1700000000.5, "seed": 7, "audit": True, **options}
    return bridge_driver.evaluate({**settings, "selftest": code}, FILES)


def value(expression: str, setup: str = "") -> str:
    """Text of an expression's value."""
    result = run(f"{setup}\nreport({expression})")
    kind, text, _, reports = result.last(b"D")
    assert kind is None, f"{kind}: {text}"
    return str(reports[0])


def refusal(statement: str) -> tuple[str, str]:
    """Type and diagnostic code of the exception of a statement."""
    code = f"try:\n    {statement}\nexcept BaseException as e:\n" \
        "    report(type(e).__mro__); report(getattr(e, 'danube_code', None)); " \
        "report(bool(getattr(e, 'hint', None)))"
    reports = run(code).last(b"D")[3]
    assert reports, "nothing was raised"
    if reports[1] != "None":
        assert reports[2] == "True", "a refusal has a hint"
    return reports[0], reports[1]


@pytest.mark.parametrize(("expression", "expected"), [
    ("__import__('os').getcwd()", "/workspace"),
    ("open('a.txt').read()", "hello\nworld\n"),
    ("open('/workspace/a.txt', 'rb').read()", "b'hello\\nworld\\n'"),
    ("list(open('sub/../a.txt'))", "['hello\\n', 'world\\n']"),
    ("__import__('json').load(open('sub/b.json'))", "{'a': 1}"),
    ("__import__('io').open('a.txt').readline()", "hello\n"),
    ("__import__('pathlib').Path('sub/b.json').read_text()", '{"a": 1}'),
    ("__import__('pathlib').Path('sub').resolve()", "/workspace/sub"),
    ("[str(p) for p in __import__('pathlib').Path('sub').iterdir()]", "['sub/b.json']"),
    ("sorted(__import__('glob').glob('pkg/*.py'))",
     "['pkg/__init__.py', 'pkg/mod.py', 'pkg/other.py']"),
    ("__import__('os').listdir('ns')", "['q.py']"),
    ("__import__('os').listdir('/')", "['workspace']"),
    ("[d[0] for d in __import__('os').walk('.')]", "['.', './ci', './ns', './pkg', './sub']"),
    ("__import__('os').path.exists('/etc/passwd')", "False"),
    ("__import__('os').path.getsize('a.txt')", "12"),
    ("__import__('os').environ", "environ({})"),
    ("files.glob('**/q*')", "['ns/q.py']"),
    ("files.read_bytes('a.txt')", "b'hello\\nworld\\n'"),
    ("(files.exists('sub'), files.exists('no'), files.exists('../a.txt'))", "(True, False, False)"),
    ("__import__('helper').X", "1"),
    ("__import__('helper').__file__", "/workspace/helper.py"),
    ("__import__('pkg.mod').mod.Y", "5"),
    ("__import__('ns.q').q.Z", "2"),
    ("__import__('time').time()", "1700000000.5"),
    ("__import__('datetime').datetime.now()", "2023-11-14 22:13:20.500000"),
    ("__import__('datetime').date.today()", "2023-11-14"),
    ("__import__('time').strftime('%H:%M %Z')", "22:13 UTC"),
    ("__import__('platform').node()", "danube"),
    ("__import__('decimal').Decimal(1) / 8", "0.125"),
    ("__import__('hashlib').sha256(b'').hexdigest()[:8]", "e3b0c442"),
    ("__import__('tomllib').loads('a = 1')", "{'a': 1}"),
])
def test_reads_and_values(expression: str, expected: str) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(("statement", "base", "code"), [
    ("open('/etc/passwd')", "FileNotFoundError", "DNB707"),
    ("open('../x')", "FileNotFoundError", "DNB707"),
    ("open('nope')", "FileNotFoundError", "None"),
    ("open('sub')", "IsADirectoryError", "None"),
    ("open('x', 'w')", "PermissionError", "DNB706"),
    ("open('a.txt', 'r+')", "PermissionError", "DNB706"),
    ("__import__('pathlib').Path('x').write_text('')", "PermissionError", "DNB706"),
    ("__import__('os').makedirs('x/y')", "PermissionError", "DNB706"),
    ("__import__('shutil').rmtree('sub')", "PermissionError", "DNB706"),
    ("__import__('tempfile').mkdtemp()", "Refused", "DNB706"),
    ("__import__('os').system('id')", "Refused", "DNB704"),
    ("__import__('subprocess').run(['id'])", "Refused", "DNB704"),
    ("__import__('subprocess').Popen('id')", "Refused", "DNB704"),
    ("__import__('socket').socket()", "Refused", "DNB703"),
    ("__import__('time').sleep(1)", "Refused", "DNB701"),
    ("__import__('uuid').uuid4()", "Refused", "DNB702"),
    ("__import__('os').urandom(1)", "Refused", "DNB702"),
    ("__import__('secrets').token_hex()", "Refused", "DNB702"),
    ("__import__('random').SystemRandom()", "Refused", "DNB702"),
    ("__import__('threading').Thread(target=print).start()", "Refused", "DNB705"),
    ("__import__('os').cpu_count()", "Refused", "DNB708"),
    ("__import__('shutil').which('git')", "Refused", "DNB708"),
    ("import yaml", "ModuleNotFoundError", "DNB107"),
    ("import jsn", "ModuleNotFoundError", "DNB107"),
    ("import asyncio", "ModuleNotFoundError", "DNB108"),
    ("import ctypes", "ModuleNotFoundError", "DNB108"),
    ("import urllib.request", "ModuleNotFoundError", "DNB108"),
    ("import bad", "SyntaxError", "None"),
    ("import latin", "Refused", "DNB102"),
    ("from pkg import nothing", "ImportError", "None"),
])
def test_refusals_carry_a_code_and_a_hint(statement: str, base: str, code: str) -> None:
    found, found_code = refusal(statement)
    assert f".{base}'" in found or f"'{base}'" in found
    assert found_code == code


def test_every_allowed_module_imports() -> None:
    sys.path.insert(0, str(bridge_driver.ROOT / "Sources/PyBridge/python"))
    try:
        from danube_dryrun._allowed import ALLOWED
    finally:
        sys.path.pop(0)
    code = f"for name in {sorted(ALLOWED)!r}:\n" \
        "    try: __import__(name)\n    except ImportError as e: report((name, str(e)))"
    assert run(code).last(b"D")[3] == ()


def test_files_of_the_repository_do_not_shadow_the_library() -> None:
    assert value("__import__('json').__file__").startswith("/python/")


def test_folders_can_be_added_to_the_path() -> None:
    setup = "import sys, os.path\nsys.path.insert(0, os.path.join(os.getcwd(), 'ci'))"
    assert value("__import__('tool').V", setup) == "3"


def test_modules_beside_a_danubefile_in_a_folder_are_found() -> None:
    assert run("import tool\nreport(tool.V)", file="ci/danubefile.py").last(b"D")[3] == ("3",)


def test_random_numbers_are_the_same_for_every_path() -> None:
    code = "import random\ndef f(): return [random.random(), random.Random().random()]\n" \
        "a = f(); reset(); b = f()\nreport(a == b); report(a)"
    first = run(code).last(b"D")[3]
    assert first[0] == "True"
    assert run(code).last(b"D")[3] == first
    assert run(code, seed=8).last(b"D")[3][1] != first[1]


def test_a_path_starts_with_modules_forgotten_and_the_folder_restored() -> None:
    code = "import helper, os, sys\nhelper.X = 9; os.chdir('sub'); sys.path.append('ci')\n" \
        "os.environ['A'] = 'b'\nreset()\nimport helper as again\n" \
        "report((again.X, os.getcwd(), sys.path, dict(os.environ)))"
    assert run(code).last(b"D")[3] == ("(1, '/workspace', ['/workspace'], {})",)


def test_each_file_is_asked_for_once() -> None:
    result = run("for _ in range(5):\n    open('a.txt').read()\n    import helper\n    reset()")
    asked = [request for request in result.requests if request[0] != "stdlib"]
    assert len(asked) == len(set(asked))


def test_hashes_and_addresses_are_the_same_each_time() -> None:
    code = "report([hash('a'), {str(i) for i in range(9)}, {object() for _ in range(5)}])"
    first = run(code).last(b"D")[3]
    assert all(run(code).last(b"D")[3] == first for _ in range(3))
    assert run(code, hash_seed=5).last(b"D")[3] != first


def test_the_embedded_list_is_that_of_the_folder() -> None:
    script = bridge_driver.ROOT / "scripts/embed-python"
    assert subprocess.run([sys.executable, script, "--check"]).returncode == 0
