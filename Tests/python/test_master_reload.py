"""A real master reads its configuration again on SIGHUP; one with a mistake changes nothing."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

from master import Master, repository

DONE = b"the configuration was read again"
REFUSED = b"the configuration stays as it was"


def _reload(master: Master, text: str, said: bytes = DONE) -> str:
    """Has the master read this; gives what it says of it."""
    file = master.data.parent / f"{master.data.name}.toml"
    file.write_text(text)
    return _hang_up(master, said)


def _hang_up(master: Master, said: bytes = DONE) -> str:
    before = master.log.stat().st_size
    assert master.process is not None
    master.process.send_signal(signal.SIGHUP)
    master.wait_for(lambda: said in master.log.read_bytes()[before:])
    return master.log.read_bytes()[before:].decode()


def _submit(master: Master, place: Path, **members: Any) -> Any:
    order = {"repository": str(place), "pipeline": "p", **members}
    return master.ask("POST", "/api/v1/jobs", order)


def _current(master: Master) -> bool:
    text = master.ask("GET", "/metrics").body.decode()
    return bool(re.search(r"^danube_config_last_reload_successful 1$", text, re.MULTILINE))


def test_what_can_be_reloaded_is(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    slow = repository(tmp_path / "slow", "step.run('sleep 600')")
    with Master(tmp_path / "data", "[jobs]\nactive = 1\n") as master:
        first = _submit(master, slow, team="a").json["id"]
        running = f"/api/v1/jobs/{first}"
        master.wait_for(lambda: master.ask("GET", running).json["state"] == "running")
        second = _submit(master, place, team="a").json["id"]
        assert master.ask("GET", f"/api/v1/jobs/{second}").json["state"] == "pending"
        # More may run at once, and the one that waits does so now.
        said = _reload(master, '[jobs]\nactive = 2\n\n[log]\nformat = "json"\n')
        assert {"jobs.active", "log.format"} == set(
            json.loads(said.splitlines()[-1])["changed"].split(", ")
        )
        assert master.ended(second)["state"] == "success"

        assert master.ask("GET", "/metrics", token="").status == 401
        body = {"repository": str(place), "pipeline": "p", "parameters": {"word": "x" * 4096}}
        assert master.ask("POST", "/api/v1/jobs", body).status == 201
        allowed = tmp_path / "nothing"
        said = _reload(
            master,
            '[http]\nmax_body = "2Ki"\n[metrics]\nopen = true\n[log]\nlevel = "debug"\n'
            f'[repositories]\nallow = ["{allowed}"]\n[teams.a]\nweight = 3\n',
        )
        assert "teams.NAME.weight" in said and "repositories.allow" in said
        assert master.ask("GET", "/metrics", token="").status == 200
        assert master.ask("POST", "/api/v1/jobs", body).status == 413
        refused = master.ended(_submit(master, place).json["id"])
        assert refused["state"] == "failure" and str(place) in refused["reason"]

        _reload(master, '[disk]\nreserve = "1000Ti"\n')
        assert _submit(master, place).status == 507
        _reload(master, '[jobs]\nqueue = 1\nactive = 1\nmax_duration = "1s"\n')
        # The slow one holds the only place, and a place in the queue.
        _submit(master, place, team="a")
        assert _submit(master, place, team="a").status == 429
        _reload(master, '[jobs]\nmax_duration = "1s"\n')
        late = master.ended(_submit(master, slow, team="b").json["id"])
        assert late["state"] == "timeout"
        # A job that runs keeps the time that it began with.
        assert master.ask("GET", running).json["state"] == "running"
        master.ask("POST", f"{running}/cancel")
        master.ended(first)


def test_what_cannot_be_reloaded_is_named(tmp_path: Path) -> None:
    with Master(tmp_path / "data") as master:
        said = _reload(
            master,
            f'[cache]\nfolder = "{tmp_path}/elsewhere"\nsize = "1Gi"\n'
            "[http]\nmax_connections = 7\n",
        )
        named = re.findall(r"`([\w.]+)` is read at start only", said)
        assert named == ["http.max_connections", "cache.folder"]
        assert "cache.size" in said.splitlines()[-1]
        # Nothing that is as it was is named, and nothing is named twice.
        assert "`data`" not in said and "http.listen" not in said


def test_a_mistake_changes_nothing(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    good = "[metrics]\nopen = true\n"
    file = tmp_path / "data.toml"
    with Master(tmp_path / "data", good) as master:
        for text, place_of in (
            ('[metrics]\nopen = false\n[retention]\nlogs = "soon"\n', "data.toml:4:"),
            ("[metrics]\nopen = false\nclosed = 1\n", "data.toml:3:"),
            ("[metrics\n", "data.toml:1:"),
            ("[metrics]\nopen = false\n[log]\nlevel = \xff", "data.toml:4"),
        ):
            file.write_bytes(text.encode("latin-1"))
            said = _hang_up(master, REFUSED)
            assert place_of in said and "error: " in said, said
            assert master.ask("GET", "/metrics", token="").status == 200
            assert not _current(master)
        file.unlink()
        assert "data.toml" in _hang_up(master, REFUSED)
        assert master.run(place)["state"] == "success"
        _reload(master, good)
        assert _current(master)
        # It does not start with one either, so that what is in force is never a surprise.
        file.write_text("[metrics]\nopen = 3\n")
        assert "data.toml:2:" in _hang_up(master, REFUSED)
        assert master.run(place)["state"] == "success"
