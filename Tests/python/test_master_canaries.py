"""No value of a secret is kept or shown anywhere, whatever goes wrong with its jobs."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import signal
import urllib.parse
import zlib
from pathlib import Path

from faults import left, processes
from master import Master, repository

# One for each scope, with what a shell, JSON and a URL write differently.
CANARIES = {
    "global/PLAIN": "canary-1f2e3d4c5b6a7988",
    "team:core/ODD": "canary \"2\" & $x 'y' <9a8b7c6d5e4f> \\ %41 ä",
    "pipeline:p/LINES": "canary-first-line-77aa\ncanary-second-line-88bb\n",
}
USES = (
    "plain, odd, lines = (secrets.get(n) for n in ('PLAIN', 'ODD', 'LINES'))",
    "env = {'A': plain, 'B': odd, 'C': lines}",
    "step.run('printf %s \"$A\" \"$B\" \"$C\"; echo; printf %s \"$A\" >&2', env=env)",
    "step.run('printf %s \"$A\" | base64; printf %s \"$B\" | base64 -w0; echo', env=env)",
    "step.run('printf %s \"$A\" | od -An -tx1 | tr -d \" \\\\n\"; echo', env=env)",
    "step.run('printf %s \"$A\" | cut -c1-9; printf %s \"$A\" | cut -c10-', env=env)",
    "step.run('sh -c \"echo $A\"', env=env)",
    "step.run('sleep $HOLD', env={'HOLD': '0', 'A': plain}) if word != 'hold' else"
    " step.run('echo held; sleep 600', env={'A': plain})",
    "step.run('echo \"$A\"; exit 3', env=env) if word == 'fail' else step.run('true')",
    "step.run(f'echo {plain}; cat /dev/null \"$A\" 2>&1 || true', env=env)"
    " if word == 'argument' else step.run('true')",
)


def forms(value: str) -> list[bytes]:
    """A value as it may be written; lines alone too."""
    found: list[bytes] = []
    for text in {value, *(line for line in value.splitlines() if len(line) > 8)}:
        plain = text.encode()
        found += [
            plain, plain.hex().encode(), plain.hex().upper().encode(),
            urllib.parse.quote(text).encode(), urllib.parse.quote(text, safe="").encode(),
            json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode(),
            plain[::-1],
        ]  # fmt: skip
        for shift in range(3):
            # What a part of a longer text in base64 shows of it, wherever it stands.
            encoded = base64.b64encode(bytes(shift) + plain)
            part = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
            found += [part, part.translate(bytes.maketrans(b"+/", b"-_"))]
    return [form for form in found if len(form) >= 12]


def contents(path: Path) -> list[bytes]:
    """A file's bytes, and what is packed in it."""
    data = path.read_bytes()
    found = [data]
    for match in re.finditer(rb"\x1f\x8b\x08", data):
        try:
            found.append(zlib.decompressobj(31).decompress(data[match.start() :]))
        except zlib.error:
            pass
    return found


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    for value in CANARIES.values():
        line = value.splitlines()[0]
        for written in (
            line.encode(), base64.b64encode(b"x" + line.encode() + b"yz"),
            line.encode().hex().encode(),
            json.dumps({"a": line}).encode(), urllib.parse.quote_plus(line, safe="").encode()
            if " " not in line else line.encode(),
        ):  # fmt: skip
            assert any(form in written for form in forms(value)), written
    file = tmp_path / "packed"
    file.write_bytes(b"head" + gzip.compress(CANARIES["global/PLAIN"].encode()))
    assert any(CANARIES["global/PLAIN"].encode() in part for part in contents(file))


def test_no_value_is_kept_or_shown(tmp_path: Path) -> None:
    place = repository(tmp_path / "r", *USES)
    looked = [form for value in CANARIES.values() for form in forms(value)]
    answers: list[tuple[str, bytes]] = []

    def ask(master: Master, method: str, path: str, body: object = None) -> int:
        answer = master.ask(method, path, body)
        answers.append((f"{method} {path}", answer.body + str(answer.headers).encode()))
        return answer.status

    def shown() -> list[str]:
        """Where processes show it; the environment of a step has to."""
        found = []
        for entry in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
            try:
                parts = {"cmdline": (entry / "cmdline").read_bytes()}
                if b"danube" in parts["cmdline"].split(b"\0")[0]:
                    parts["environ"] = (entry / "environ").read_bytes()
            except OSError:  # it has ended
                continue
            found += [
                f"{entry.name} {name}: {parts['cmdline'][:200]!r}"
                for name, part in parts.items()
                if any(form in part for form in looked)
            ]
        return found

    with Master(tmp_path / "data", '[log]\nlevel = "trace"\n') as master:
        for name, value in CANARIES.items():
            assert ask(master, "PUT", f"/api/v1/secrets/{name}", {"value": value}) == 200
            # What is refused is not repeated.
            for wrong in ({"value": value, "unknown": 1}, {"value": [value]}, {"values": value}):
                assert ask(master, "PUT", f"/api/v1/secrets/{name}", wrong) >= 400
        order = {"repository": str(place), "pipeline": "p", "team": "core"}
        states = {}
        for word in ("", "fail", "argument"):
            job = master.run(place, team="core", parameters={"word": word})
            states[word] = job["state"]
        assert states[""] == "success" and states["fail"] == "failure", states
        jobs = []
        for number in (signal.SIGTERM, signal.SIGKILL, None):
            held = {**order, "parameters": {"word": "hold"}}
            jobs.append(master.ask("POST", "/api/v1/jobs", held).json["id"])
            master.wait_for(lambda: b"held" in master.logs(jobs[-1]))
            assert not shown()
            if number is not None:
                master.stop(number)
                if number == signal.SIGKILL:
                    for entry in processes(master.data):
                        _kill(int(entry.split()[0]))
                master.start()
            ask(master, "POST", f"/api/v1/jobs/{jobs[-1]}/cancel")
            master.ended(jobs[-1])
        assert ask(master, "POST", "/api/v1/secrets/rotate-key", {}) in (200, 204)
        listed = master.ask("GET", "/api/v1/jobs?limit=100").json["jobs"]
        routes = ["secrets", "jobs", "status", "pipelines", "tokens", "openapi.json"]
        for job in listed:
            routes += [f"jobs/{job['id']}{end}" for end in ("", "/steps", "/plan", "/logs")]
            routes += [f"jobs/{job['id']}/logs/stream", f"artifacts/{job['id']}"]
        for route in routes:
            assert ask(master, "GET", f"/api/v1/{route}") == 200, route
        ask(master, "GET", "/metrics")
        ask(master, "POST", "/api/v1/plans", {"repository": str(place), "pipeline": "p"})
        assert b"***" in master.logs(listed[-1]["id"])
        master.wait_for(lambda: not left(master))
        bad = [name for name, body in answers if any(form in body for form in looked)]
        assert not bad, bad
        for _ in range(2):
            files = [path for path in tmp_path.rglob("*") if path.is_file()]
            assert len(files) > 30
            for path in files:
                if path.is_relative_to(place):
                    continue
                hits = {f for part in contents(path) for f in looked if f in part}
                assert not hits, (path, hits)
            master.stop()
    cores = [path for path in Path.cwd().glob("core*") if path.is_file()]
    assert not cores
