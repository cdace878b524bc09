"""Where the public API meets whatever performs it.

The dry run and live mode each install an object that follows `Backend` in `backend`. Between the
call in a danubefile and the method of the back end there is exactly one frame of this package, so
that a back end finds the caller's position without searching. Nothing here is validated: the
back ends do that, because only they can say which line is at fault.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from danube._values import Code, Handle, Output, Resources, Retry, Service

    class Backend(Protocol):
        """What `step`, `parallel`, `ctx` and the others ask for. Called positionally."""

        def run_step(
            self,
            command: str | Sequence[str],
            name: str | None,
            image: str | None,
            env: Mapping[str, str] | None,
            check: bool,
            capture: bool,
            timeout: float | str | None,
            inputs: Sequence[str] | None,
            outputs: Sequence[str] | None,
            cache: bool | None,
            needs: Sequence[Handle] | None,
            retries: int | Retry,
            resources: Resources | Mapping[str, object] | None,
            workdir: str | None,
            services: Sequence[Service],
            /,
        ) -> Code | Output:
            """Runs or records one step."""

        def enter_parallel(self, name: str | None, fail_fast: bool, /) -> None:
            """Opens a parallel block."""

        def exit_parallel(self, exc: BaseException | None, /) -> None:
            """Closes it; `exc` is what is propagating through it."""

        def enter_sequence(self, name: str | None, /) -> None:
            """Opens a sequence."""

        def exit_sequence(self, exc: BaseException | None, /) -> None:
            """Closes it; `exc` is what is propagating through it."""

        def enter_cell(self, items: tuple[tuple[str, object], ...], /) -> object:
            """Steps from here on belong to this matrix cell. Returns a token."""

        def leave_cell(self, token: object, /) -> None:
            """Ends the cell that the token stands for. Cells need not nest."""

        def context(self, name: str, /) -> object:
            """Value of `ctx.<name>`."""

        def secret(self, key: str, /) -> str:
            """Value of a secret, or an opaque reference to it."""

        def upload(self, path: str, name: str | None, junit: bool, /) -> None:
            """Stores an artifact, or records that it will be stored."""

        def read_bytes(self, path: str, /) -> bytes:
            """Content of a file of the repository."""

        def glob(self, pattern: str, /) -> list[str]:
            """Sorted paths of the repository that match."""

        def exists(self, path: str, /) -> bool:
            """Whether the repository has this path."""


backend: Backend | None = None


def missing() -> RuntimeError:
    """The error of a danubefile that was started without a back end.

    Returns:
        An exception to raise; it says how a danubefile is run.
    """
    return RuntimeError(
        "a danubefile does nothing by itself: run with danube (`danube plan`, `danube run`)"
    )
