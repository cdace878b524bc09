# contained: no path leads out of the repository, to `.git` or to what is no file
# expect: ok|error
# repository: special-files
# forbidden: PATH-READ
import os

from danube import files, pipeline, step

odd = [
    "/etc/passwd", "../secret", "a/../../secret", "/workspace/../etc/passwd", "//etc/passwd",
    "/proc/self/environ", "/proc/1/cwd/etc/passwd", "/dev/zero", "/dev/fd/3", "out", "out/passwd",
    "zero", "pipe", "socket", "loop", "magic", ".git/config", "git/config", "a" * 5000, "a/" * 3000,
    "x\0y", "\udcff\udcfe", "\ufeff", "CON", "C:\\Windows", "\\\\host\\share", "file:///etc/passwd",
    ".", "", "danubefile.py/", "danubefile.py/..", "sparse", "./././sparse", "~root/.profile",
]
for path in odd:
    for read in (lambda: open(path, "rb").read(), lambda: files.read_text(path),
                 lambda: os.listdir(path), lambda: os.stat(path), lambda: files.glob(path + "*")):
        try:
            if (found := read()) and b"roo" + b"t:" in (found if type(found) is bytes else b""):
                print("PATH-" + "READ", ascii(path), ascii(found)[:80])
        except (OSError, ValueError, TypeError, UnicodeError):
            pass


@pipeline
def build():
    step.run("true")
