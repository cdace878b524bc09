"""Which modules of the standard library a danubefile may import, and what to say of the others."""

from __future__ import annotations

# Pure modules, with what they are made of. A name stands for its submodules too.
ALLOWED = frozenset(
    """
__future__ abc argparse ast base64 bisect calendar cmath codecs collections colorsys configparser
contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib dis encodings enum
errno fnmatch fractions functools genericpath getopt gettext glob graphlib hashlib heapq hmac html
importlib inspect io ipaddress itertools json keyword linecache locale logging math mimetypes
ntpath numbers opcode operator optparse os pathlib platform posixpath pprint queue random re
reprlib shlex shutil sre_compile sre_constants sre_parse stat statistics string stringprep struct
sys textwrap threading time token tokenize tomllib traceback types typing unicodedata urllib.parse
uuid warnings weakref xml.etree xml.parsers zlib
_collections_abc _compat_pickle _markupbase _py_abc _pydecimal _sitebuiltins _strptime
_threading_local _weakrefset
""".split()
)

# Modules in C. `posix`, `_socket`, `_posixsubprocess` and their like are in the library too.
BUILTIN = frozenset(
    """
_abc _ast _bisect _blake2 _codecs _collections _contextvars _csv _elementtree _functools _heapq _io
_locale _md5 _opcode _operator _random _sha1 _sha256 _sha3 _sha512 _sre _stat _statistics _string
_struct _symtable _thread _tokenize _tracemalloc _warnings _weakref array atexit binascii builtins
cmath errno gc itertools marshal math pyexpat sys time unicodedata zlib
""".split()
)

_IN_A_STEP = "Do this in a step; its script can use what its image has."
_HINTS = {
    "asyncio": "Use `with parallel():` for work that runs side by side.",
    "concurrent": "Use `with parallel():` for work that runs side by side.",
    "multiprocessing": "Use `with parallel():` for work that runs side by side.",
    "signal": "Give the step a `timeout` instead.",
    "http": "A danubefile has no network. " + _IN_A_STEP,
    "urllib": "A danubefile has no network. " + _IN_A_STEP,
    "ssl": "A danubefile has no network. " + _IN_A_STEP,
    "ctypes": "A danubefile runs no native code. " + _IN_A_STEP,
    "mmap": "Read the file with open() instead.",
    "pickle": "Use `json` instead.",
    "zoneinfo": "Times are UTC: `ctx` and `datetime` give the trigger's time.",
    "unittest": "Test your modules outside of the danubefile.",
}
_THIRD_PARTY = frozenset(
    """
attr attrs boto3 click docker git github gitlab httpx jinja2 kubernetes numpy packaging pandas
plumbum pydantic pytest requests rich semver sh toml yaml
""".split()
)


def hint_for(name: str) -> str:
    """What to do instead of importing a module."""
    top = name.partition(".")[0]
    if top in _HINTS:
        return _HINTS[top]
    if top in _THIRD_PARTY:
        return (
            "Packages are not installed where a danubefile is compiled. Use the standard "
            "library here (`json`, `tomllib`), or the package in a step."
        )
    from sys import stdlib_module_names

    if top in stdlib_module_names:
        return _IN_A_STEP
    from ._suggest import closest

    near = closest(top, sorted(ALLOWED | {"danube"}))
    if near and len(top) > 3:
        return f"Did you mean `{near}`?"
    return "Modules of the repository are found beside the danubefile; packages are not installed."
