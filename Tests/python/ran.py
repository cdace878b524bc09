"""Runs pipelines in a repository of their own, with a cache and a history of their own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from cli import SUCCESS, Ended, danube, environment


@dataclass(frozen=True)
class Runs:
    """A repository, and the folders in which danube keeps things for it.

    Attributes:
        folder: Holds everything; the repository is in `repo`.
    """

    folder: Path

    @property
    def repo(self) -> Path:
        """The repository."""
        return self.folder / "repo"

    @property
    def cache(self) -> Path:
        """Where danube keeps its cache."""
        return self.folder / "cache" / "danube"

    @property
    def history(self) -> Path:
        """Where danube keeps its history."""
        return self.folder / "state" / "danube"

    def write(self, body: str, **files: str) -> None:
        """Writes the danubefile with this pipeline, and files by their names."""
        self.repo.mkdir(parents=True, exist_ok=True)
        indented = "".join(f"    {line}\n" for line in body.strip().splitlines())
        text = f'from danube import *\n\n@pipeline(name="P")\ndef p():\n{indented}'
        (self.repo / "danubefile.py").write_text(text)
        for name, content in files.items():
            (self.repo / name).write_text(content)

    @property
    def env(self) -> dict[str, str]:
        """The environment that danube is started in."""
        return environment(
            HOME=str(self.folder),
            XDG_CACHE_HOME=str(self.folder / "cache"),
            XDG_STATE_HOME=str(self.folder / "state"),
        )

    def danube(self, *arguments: str, **variables: str) -> Ended:
        """Runs it in the repository."""
        return danube(*arguments, cwd=self.repo, env={**self.env, **variables})

    def run(self, *arguments: str, status: int = SUCCESS, **variables: str) -> str:
        """Runs the pipeline in place; gives the id of the job."""
        ended = self.danube("run", "--in-place", *arguments, **variables)
        assert ended.status == status, ended
        found = re.findall(r"\bjob (\w{9})\b", ended.out)
        assert found, ended
        return found[-1]

    def why(self, *arguments: str) -> str:
        """What `danube why` says."""
        ended = self.danube("why", *arguments)
        assert ended.status == SUCCESS, ended
        return ended.out

    def why_json(self, *arguments: str) -> dict:
        """What `danube why --json` says of one step."""
        answer = json.loads(self.why(*arguments, "--json"))
        assert answer["v"] == 1 and len(answer["steps"]) == 1, answer
        return answer["steps"][0]

    def forecast(self, *arguments: str, **variables: str) -> dict[str, dict]:
        """What `danube run --dry-run --json` says of each step, by its name."""
        ended = self.danube("run", "--dry-run", "--json", *arguments, **variables)
        assert ended.status == SUCCESS, ended
        return {step["name"]: step for step in json.loads(ended.out)["steps"]}

    def keys(self) -> list[dict]:
        """The results that `danube cache ls` lists."""
        ended = self.danube("cache", "ls", "--json")
        assert ended.status == SUCCESS, ended
        return json.loads(ended.out)["results"]
