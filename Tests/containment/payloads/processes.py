# contained: no process starts, from whatever call
# expect: error|ok
# forbidden: CALL-WORKED
import sys

from danube import pipeline, step

load = sys.modules["_frozen_importlib"].BuiltinImporter.load_module
sys.modules.pop("posix")
posix = load("posix")

for call in (
    lambda: posix.fork(), lambda: posix.forkpty(),
    lambda: posix.posix_spawn("/bin/touch", ["touch", "/tmp/danube-tripwire-spawn"], {}),
    lambda: posix.system("touch /tmp/danube-tripwire-system"),
    lambda: posix.waitpid(-1, 0), lambda: posix.kill(-1, 9), lambda: posix.killpg(0, 9),
    lambda: posix.setsid(), lambda: posix.unshare(0x10000000), lambda: posix.pidfd_open(1),
):
    try:
        if call() == 0:
            print("CALL-" + "WORKED")
    except (AttributeError, OSError):
        pass


@pipeline
def build():
    step.run("true")
