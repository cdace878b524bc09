"""`ctx`: what a pipeline can know of why and on what it runs."""

from __future__ import annotations

from danube import _runtime
from danube._values import _Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class PullRequest(_Record):
    """The pull request that a job is about: `ctx.pull_request`.

    Whoever opened it chose its title, body, author and branch name, so these four are `Untrusted`.

    Attributes:
        number: Its number in the repository.
        title: Its title, untrusted.
        body: Its description, untrusted.
        author: Login of who opened it, untrusted.
        head_branch: Branch it comes from, untrusted.
        base_branch: Branch it wants to be merged into.
        head_sha: Commit at its head.
        fork: Whether it comes from another repository.
    """

    __slots__ = (
        "author", "base_branch", "body", "fork", "head_branch", "head_sha", "number", "title",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        title: str = "",
        body: str = "",
        author: str = "",
        head_branch: str = "",
        base_branch: str = "",
        head_sha: str = "",
        fork: bool = False,
    ) -> None:
        from danube._untrusted import Untrusted

        self.number = number
        self.title: str = Untrusted(title)
        self.body: str = Untrusted(body)
        self.author: str = Untrusted(author)
        self.head_branch: str = Untrusted(head_branch)
        self.base_branch = base_branch
        self.head_sha = head_sha
        self.fork = fork


def marked(name: str, value: object, fork: bool) -> object:
    """A context value with the texts in it that a stranger wrote marked as `Untrusted`.

    Back ends pass what they answer to `Backend.context` through it.

    Args:
        name: Name of the context value.
        value: The value: plain strings, numbers, lists and dicts.
        fork: Whether the job is about a pull request of a fork.

    Returns:
        The value; `event` has every string in it marked, and for a fork so have `branch`,
        `trigger_ref` and `changed_files`.
    """
    if name == "event" or (fork and name in ("branch", "trigger_ref", "changed_files")):
        return _untrusted(value)
    return value


def _untrusted(value: object) -> object:
    if type(value) is str:
        from danube._untrusted import Untrusted

        return Untrusted(value)
    if isinstance(value, dict):
        return {key: _untrusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_untrusted(item) for item in value]
    if isinstance(value, tuple):
        return tuple([_untrusted(item) for item in value])
    return value


class Context:
    """The type of `ctx`. Every value is asked for when it is read, and the plan records it."""

    __slots__ = ()

    if TYPE_CHECKING:
        job_id: str
        """Id of the job; `local` in `danube plan`."""
        pipeline: str
        """Name of the pipeline that runs."""
        repo: str
        """Name of the repository, such as `acme/shop`."""
        branch: str
        """The branch that is built; for a pull request the branch it comes from, and untrusted
        when it is a fork's."""
        tag: str | None
        """The tag that is built, or None."""
        commit_sha: str
        """Full hash of the commit."""
        trigger_type: str
        """Why the job began: `push`, `pull_request`, `tag`, `cron`, `manual` or `api`."""
        trigger_ref: str
        """The git reference of the trigger, such as `refs/heads/main`."""
        workspace: str
        """Absolute path of the workspace in which steps run."""
        event: dict[str, Any]
        """The trigger's payload as the forge sent it. Every text in it is untrusted."""
        pull_request: PullRequest | None
        """The pull request that the job is about, or None."""
        changed_files: tuple[str, ...]
        """Paths that the push or pull request changed, sorted."""
        params: Mapping[str, Any]
        """The values of the pipeline function's parameters, by name."""
    else:

        def __getattr__(self, name):
            if name not in _NAMES:
                raise AttributeError(f"ctx has no {name!r}", name=name, obj=self)
            backend = _runtime.backend
            if backend is None:
                raise _runtime.missing()
            value = backend.context(name)
            if name == "pull_request" and isinstance(value, dict):
                return PullRequest(**value)
            return value

    def __dir__(self) -> list[str]:
        return sorted(_NAMES)

    def __repr__(self) -> str:
        return "<danube.ctx>"


_NAMES = frozenset((
    "job_id", "pipeline", "repo", "branch", "tag", "commit_sha", "trigger_type", "trigger_ref",
    "workspace", "event", "pull_request", "changed_files", "params",
))  # fmt: skip
