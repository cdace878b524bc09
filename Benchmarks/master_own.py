"""Own cases of the master: long histories, lists, logs."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import figures

STATES = ("success", "failure", "timeout", "cancelled")
FILTERS = (
    "", "?state=failure", "?pipeline=p7", "?team=t3", "?trigger=push", "?ref=refs/heads/b9",
    "?state=success,timeout&pipeline=p3", "?team=t1&trigger=manual&limit=500", "?revision={r}",
    "?state=running",
)  # fmt: skip
STREAMS, STREAM_BYTES = 20, 100_000_000


class Master:
    """A daemon in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "log"
        self.start()

    def start(self) -> float:
        """Starts it; gives the seconds until it was ready."""
        program = Path(os.environ["DANUBE"]).with_name("danube-master")
        begun = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "--data", self.data, "--http-listen", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        while b"ready on http://" not in self.log.read_bytes():
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.002)
        text = self.log.read_text().split("ready on http://", 1)[1]
        port = int(text.split(":", 1)[1].split()[0].strip('",'))
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.token = (self.data / "admin.token").read_text().strip()
        return time.perf_counter() - begun

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(60)

    def raw(self, method: str, path: str, body: object = None) -> bytes:
        """Asks and gives the body."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = json.dumps(body) if body is not None else None
        self.connection.request(method, path, data, headers)
        response = self.connection.getresponse()
        found = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {found[:300]!r}")
        return found

    def ask(self, method: str, path: str, body: object = None) -> dict:
        """The same for JSON."""
        return json.loads(self.raw(method, path, body))

    def memory(self) -> float:
        """Megabytes that are in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1e3


def fill(data: Path, count: int) -> None:
    """Adds jobs that have ended to a database that nobody has open."""
    chance = random.Random(1)
    letters = "0123456789abcdefghjkmnpqrstvwxyz"
    database = sqlite3.connect(data / "danube.db")
    first = database.execute("SELECT coalesce(max(number), 0) FROM jobs").fetchone()[0]
    now = int(time.time() * 1000)
    jobs, events = [], []
    for index in range(count):
        number = first + index + 1
        name = "z" + "".join(letters[(number >> (5 * k)) & 31] for k in range(8))
        created = now - (count - index) * 1000
        state = chance.choices(STATES, (90, 8, 1, 1))[0]
        jobs.append((
            number, name, created, state, f"p{chance.randrange(20)}", f"t{chance.randrange(5)}",
            chance.choice(("push", "manual", "schedule")), f"refs/heads/b{chance.randrange(50)}",
            f"{chance.getrandbits(160):040x}", "https://git.example/r", "danubefile.py", "{}", 0,
            created, created + chance.randrange(100_000),
        ))  # fmt: skip
        events.append((number, created, "state", '{"to":"pending"}'))
        events.append((number, created + 9, "state", f'{{"from":"running","to":"{state}"}}'))
    with database:
        database.executemany(
            "INSERT INTO jobs (number, id, created, state, pipeline, team, trigger, ref, revision,"
            " repository, file, parameters, priority, started, ended)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            jobs,
        )
        database.executemany(
            "INSERT INTO job_events (job, at, kind, body) VALUES (?, ?, ?, ?)", events
        )
    database.close()


def histories(folder: Path, times: int) -> list[figures.Figure]:
    """10,000 jobs of history, then 100,000."""
    folder.mkdir()
    master = Master(folder)
    try:
        master.stop()
        fill(master.data, 10_000)
        started = min(_restart(master) for _ in range(3))
        master.start()
        for path in ("/api/v1/jobs", "/api/v1/status", "/api/v1/pipelines"):
            master.raw("GET", path)
        time.sleep(1)
        memory = master.memory()
        master.stop()
        fill(master.data, 90_000)
        master.start()
        revision = master.ask("GET", "/api/v1/jobs?limit=1")["jobs"][0]["revision"]
        slowest, which = 0.0, ""
        for chosen in FILTERS:
            taken = []
            for _ in range(times):
                begun = time.perf_counter()
                master.raw("GET", "/api/v1/jobs" + chosen.format(r=revision))
                taken.append(time.perf_counter() - begun)
            worst = sorted(taken)[int(len(taken) * 0.99)]
            if worst > slowest:
                slowest, which = worst, chosen
    finally:
        master.stop()
    return [
        figures.at_most("restart with 10,000 jobs", " s", 2, started, ""),
        figures.at_most("memory with 10,000 jobs of history", " MB", 80, memory, ""),
        figures.at_most(
            "GET /jobs of 100,000, the slowest filter, p99", " ms", 15, slowest * 1e3,
            which or "no filter"),
    ]  # fmt: skip


def _restart(master: Master) -> float:
    seconds = master.start()
    master.stop()
    return seconds


def repository(folder: Path, *lines: str, parameters: str = "") -> dict:
    """A repository with a pipeline of these lines, and what asks for a job of it."""
    folder.mkdir(parents=True)
    head = "from danube import pipeline, step\n\n\n@pipeline(name='p')\n"
    head += f"def p({parameters}) -> None:\n"
    (folder / "danubefile.py").write_text(head + "".join(f"    {line}\n" for line in lines))
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(git + words, check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return {"repository": str(folder), "pipeline": "p", "revision": head.stdout.strip()}


def wait(master: Master, jobs: list[str]) -> None:
    """Waits until jobs have succeeded."""
    for job in jobs:
        while True:
            state = master.ask("GET", f"/api/v1/jobs/{job}")["state"]
            if state in STATES:
                break
            time.sleep(0.01)
        if state != "success":
            raise RuntimeError(f"job {job} ended as {state}")


def latency(folder: Path, jobs: int) -> list[figures.Figure]:
    """How soon one job after the other has ended, of a master that has nothing else to do."""
    order = repository(folder / "one", "step.run('true', cache=False)")
    master = Master(folder)
    late = []
    try:
        for _ in range(jobs + 5):
            begun = time.perf_counter()
            job = master.ask("POST", "/api/v1/jobs", order)["id"]
            while master.ask("GET", f"/api/v1/jobs/{job}")["state"] not in STATES:
                time.sleep(0.001)
            late.append(time.perf_counter() - begun)
            time.sleep(0.02)
    finally:
        master.stop()
    late = sorted(late[5:])
    return [
        figures.at_most(
            "submit to finished, asked each millisecond, p50", " ms", 20,
            statistics.median(late) * 1e3,
            f"p95 {late[int(len(late) * 0.95)] * 1e3:.1f} ms of {len(late)} jobs")
    ]  # fmt: skip


def plans(folder: Path, requests: int) -> list[figures.Figure]:
    """How soon a plan is compiled of a commit that is known, the same again and others."""
    order = repository(
        folder / "ten",
        *(f"step.run(f'echo {index} {{word}}', name='s{index}')" for index in range(10)),
        parameters="word: str",
    )
    master = Master(folder)
    same, other = [], []
    try:
        for index in range(requests + 5):
            for taken, word in ((same, "x"), (other, str(index))):
                begun = time.perf_counter()
                master.raw("POST", "/api/v1/plans", {**order, "parameters": {"word": word}})
                taken.append(time.perf_counter() - begun)
    finally:
        master.stop()
    detail = f"with other parameters each time {statistics.median(other[5:]) * 1e3:.1f} ms"
    return [
        figures.at_most(
            "compile request, warm, 10 steps, p50", " ms", 6, statistics.median(same[5:]) * 1e3,
            detail)
    ]  # fmt: skip


def logs(folder: Path) -> list[figures.Figure]:
    """How fast logs are taken from 20 jobs, and how soon a follower has a line."""
    line = "x" * 99
    order = repository(
        folder / "many", f"step.run('yes {line} | head -c {STREAM_BYTES}', cache=False)"
    )
    slow = repository(
        folder / "slow",
        "step.run('for i in $(seq 40); do date +%s.%N; sleep 0.05; done', cache=False)",
    )
    master = Master(folder)
    try:
        wait(master, [master.ask("POST", "/api/v1/jobs", slow)["id"]])
        begun = time.perf_counter()
        jobs = [master.ask("POST", "/api/v1/jobs", order)["id"] for _ in range(STREAMS)]
        wait(master, jobs)
        rate = STREAMS * STREAM_BYTES / (time.perf_counter() - begun) / 1e6
        late = _follow(master, master.ask("POST", "/api/v1/jobs", slow)["id"])
    finally:
        master.stop()
    return [
        figures.at_least("log ingestion, 20 jobs at once", " MB/s", 200, rate, ""),
        figures.at_most(
            "a line until its follower has it, p95", " ms", 250,
            sorted(late)[int(len(late) * 0.95)] * 1e3,
            f"median {statistics.median(late) * 1e3:.1f} ms of {len(late)} lines"),
    ]  # fmt: skip


def _follow(master: Master, job: str) -> list[float]:
    headers = {"Authorization": f"Bearer {master.token}"}
    master.connection.request("GET", f"/api/v1/jobs/{job}/logs?follow=1", headers=headers)
    response = master.connection.getresponse()
    late = []
    while text := response.readline():
        words = text.decode(errors="replace").split()
        if words and words[-1].replace(".", "").isdigit():
            late.append(time.time() - float(words[-1]))
    return late


def measure(work: Path, quick: bool) -> list[figures.Figure]:
    """Everything."""
    folder = work / "master-own"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        found = histories(folder / "histories", 20 if quick else 200)
        for name in ("latency", "logs", "plans"):
            (folder / name).mkdir()
        found += plans(folder / "plans", 20 if quick else 100)
        found += latency(folder / "latency", 20 if quick else 60)
        return found + logs(folder / "logs")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
