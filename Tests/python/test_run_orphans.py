"""Whatever a step starts, and whoever is killed, no process outlives the run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from runs import MODES, Bell, Marker, Place, engine, wait_for_end

# How a step leaves something behind. {0} is the command that runs for long.
WAYS = {
    "background": "{0} &",
    "double fork": "( ( {0} & ) & )",
    "own session": "setsid {0} &",
    "own session twice": "setsid sh -c 'setsid {0} & exec setsid {0}' &",
    "no environment": "env -i setsid {0} &",
    "no environment, double fork": "( ( env -i setsid {0} < /dev/null > /dev/null 2>&1 & ) & )",
    "deaf": "(trap '' TERM HUP INT; setsid {0}; {0}) &",
    "output held": "setsid {0} 2>&1 &",
    "output closed": "setsid {0} > /dev/null 2>&1 &",
    "doubling": "setsid sh -c 'for i in 1 2 3 4 5 6 7 8; do {0} & done; wait' &",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def marker() -> Marker:
    return Marker()


@pytest.fixture
def bell(tmp_path: Path) -> Bell:
    return Bell(tmp_path / "bell")


@pytest.mark.parametrize("mode", MODES)
def test_what_a_step_leaves_behind_ends_with_it(place: Place, marker: Marker, mode: str) -> None:
    script = "\n".join(WAYS.values()).format(marker.command)
    place.write(f"step.run({script!r}, name='Leave')\nstep.run('true')")
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    assert marker.processes() == []


@pytest.mark.parametrize("mode", MODES)
def test_what_a_step_leaves_ends_while_another_runs(
    place: Place, marker: Marker, bell: Bell, tmp_path: Path, mode: str
) -> None:
    # The second step of the branch sees that nothing of the first one is left.
    script = "\n".join(
        way for name, way in WAYS.items() if "no environment" not in name
    ).format(marker.command)
    # The brackets keep the pattern from finding itself.
    pattern = f"[{marker.seconds[0]}]{marker.seconds[1:]}"
    look = f"! grep -lsz '{pattern}' /proc/[0-9]*/cmdline"
    place.write(
        "with parallel():\n"
        f"    step.run('read x < {bell.path}', name='Other')\n"
        "    with sequence():\n"
        f"        step.run({script!r}, name='Leave')\n"
        f"        step.run({look!r}, name='Look')\n"
        f"        step.run('echo > {bell.path}', name='Ring')\n"
    )
    ended = place.run(mode, "-j", "2")
    assert ended.status == 0, ended.err + ended.out
    assert marker.processes() == []


@pytest.mark.parametrize("mode", MODES)
def test_a_step_killed_by_its_time_limit_says_so(place: Place, marker: Marker, mode: str) -> None:
    script = "\n".join(WAYS.values()).format(marker.command) + f"\n{marker.command}"
    place.write(f"step.run({script!r}, name='Slow', timeout=0.5)")
    ended = place.run(mode)
    assert ended.status == 1
    assert "timed out after 0.5 s" in ended.out + ended.err
    assert marker.processes() == []
    assert place.left == []


def _hold(place: Place, marker: Marker, bell: Bell, before: str = "") -> None:
    script = before + "\n".join(WAYS.values()).format(marker.command)
    script += f"\n{bell.ring}\n{marker.command}"
    place.write(
        "try:\n"
        f"    step.run({script!r}, name='Hold')\n"
        "finally:\n"
        f"    step.run(\"echo cleaned > '{place.root}/cleaned'\", name='Clean')\n"
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_the_run_in_order(
    place: Place, marker: Marker, bell: Bell, mode: str, number: signal.Signals
) -> None:
    _hold(place, marker, bell)
    with place.running(mode) as process:
        bell.listen()
        process.send_signal(number)
        assert process.wait(timeout=60) == 1
    assert (place.root / "cleaned").read_text() == "cleaned\n"
    assert marker.processes() == []
    assert place.left == []


@pytest.mark.parametrize("mode", MODES)
def test_two_signals_end_it_now(place: Place, marker: Marker, bell: Bell, mode: str) -> None:
    # Only the second one ends a step that does not hear the first.
    _hold(place, marker, bell, before="trap '' TERM\n")
    with place.running(mode) as process:
        bell.listen()
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        while b"asked to end" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 1
    assert not (place.root / "cleaned").exists()
    assert marker.processes() == []
    assert place.left == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("victims", ["guard", "engine", "both"])
def test_nothing_survives_a_kill(
    place: Place, marker: Marker, bell: Bell, mode: str, victims: str
) -> None:
    _hold(place, marker, bell)
    with place.running(mode) as process:
        bell.listen()
        inner = engine(process.pid)
        if victims != "guard":
            os.kill(inner, signal.SIGSTOP if victims == "both" else signal.SIGKILL)
        if victims != "engine":
            process.kill()
        if victims == "both":
            os.kill(inner, signal.SIGKILL)
        process.wait(timeout=60)
        wait_for_end(inner)
        if not (victims == "both" and mode == "in-place"):
            marker.wait_for_end()
    # What neither of them could end, the next run does, as far as it bears their mark.
    place.write("step.run('true')")
    ended = place.run(mode)
    assert ended.status == 0, ended.err + ended.out
    assert place.left == []
    unmarked = [one for one in marker.processes() if b"DANUBE" in _environment(one)]
    assert unmarked == []
    if not (victims == "both" and mode == "in-place"):
        assert marker.processes() == []
    for one in marker.processes():
        os.kill(one, signal.SIGKILL)


def _environment(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return b""
