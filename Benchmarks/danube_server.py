"""Danube as a daemon of the peers' harness: W5, one-step jobs over HTTP.

All jobs are of one commit and pipeline, so their plan is the same; a job's step leaves a file that
is named for the job, and the name that the harness looks for is a link to it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from w5 import Http, Server, port

DANUBEFILE = """\
from danube import pipeline, step


@pipeline(name="p")
def p() -> None:
    step.run(': > "{stamps}/$DANUBE_JOB"')
"""


class DanubeServer(Server):
    """`danube-master` in an empty folder, as `danube master` starts it."""

    name, builds = "danube", 200
    note = "danube-master (sqlite), local runner; POST /api/v1/jobs with a commit"

    def version(self) -> str:
        """What the program says."""
        words = [os.environ["DANUBE"], "--version"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    def prepare(self) -> None:
        """The repository."""
        self.place = self.d / "repository"
        self.place.mkdir()
        text = DANUBEFILE.format(stamps=self.d / "stamps")
        (self.place / "danubefile.py").write_text(text)
        git = ["git", "-C", str(self.place), "-c", "user.name=x", "-c", "user.email=x@example.com"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
            subprocess.run(git + words, check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        self.order = {
            "repository": str(self.place), "pipeline": "p", "revision": head.stdout.strip(),
        }  # fmt: skip

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        self.p = port()
        program = Path(os.environ["DANUBE"]).with_name("danube-master")
        data = self.d / "data"
        self.spawn([program, "--data", data, "--http-listen", f"127.0.0.1:{self.p}"])
        self.h = Http(self.p)
        self.wait(lambda: self.h("GET", "/api/v1/health/ready"), self.ready_s, 0.005)
        token = (data / "admin.token").read_text().strip()
        self.h = Http(self.p, {"Authorization": f"Bearer {token}"})

    def submit(self, i: str) -> str:
        """Asks for a job."""
        job = self.h("POST", "/api/v1/jobs", self.order)["id"]
        (self.d / "stamps" / str(i)).symlink_to(job)
        return job

    def done(self, ids: object) -> int:
        """How many have ended."""
        jobs = self.h("GET", "/api/v1/status")["jobs"]
        return sum(jobs[state] for state in ("success", "failure", "timeout", "cancelled"))
