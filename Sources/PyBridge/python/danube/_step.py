"""`step.run`, the one call that everything else is built around."""

from __future__ import annotations

from danube import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal, overload

    from danube._values import Code, Handle, Output, Resources, Retry, Service


class Step:
    """The type of `step`."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def run(
            self,
            command: str | Sequence[str],
            *,
            name: str | None = None,
            image: str | None = None,
            env: Mapping[str, str] | None = None,
            check: bool = True,
            capture: Literal[False] = False,
            timeout: float | str | None = None,
            inputs: Sequence[str] | None = None,
            outputs: Sequence[str] | None = None,
            cache: bool | None = None,
            needs: Sequence[Handle] | None = None,
            retries: int | Retry = 0,
            resources: Resources | Mapping[str, object] | None = None,
            workdir: str | None = None,
            services: Sequence[Service] = (),
        ) -> Code: ...

        @overload
        def run(
            self,
            command: str | Sequence[str],
            *,
            name: str | None = None,
            image: str | None = None,
            env: Mapping[str, str] | None = None,
            check: bool = True,
            capture: Literal[True],
            timeout: float | str | None = None,
            inputs: Sequence[str] | None = None,
            outputs: Sequence[str] | None = None,
            cache: bool | None = None,
            needs: Sequence[Handle] | None = None,
            retries: int | Retry = 0,
            resources: Resources | Mapping[str, object] | None = None,
            workdir: str | None = None,
            services: Sequence[Service] = (),
        ) -> Output: ...

        @overload
        def run(
            self,
            command: str | Sequence[str],
            *,
            name: str | None = None,
            image: str | None = None,
            env: Mapping[str, str] | None = None,
            check: bool = True,
            capture: bool,
            timeout: float | str | None = None,
            inputs: Sequence[str] | None = None,
            outputs: Sequence[str] | None = None,
            cache: bool | None = None,
            needs: Sequence[Handle] | None = None,
            retries: int | Retry = 0,
            resources: Resources | Mapping[str, object] | None = None,
            workdir: str | None = None,
            services: Sequence[Service] = (),
        ) -> Code | Output: ...

    def run(
        self,
        command: str | Sequence[str],
        *,
        name: str | None = None,
        image: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        capture: bool = False,
        timeout: float | str | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        cache: bool | None = None,
        needs: Sequence[Handle] | None = None,
        retries: int | Retry = 0,
        resources: Resources | Mapping[str, object] | None = None,
        workdir: str | None = None,
        services: Sequence[Service] = (),
    ) -> Code | Output:
        """Runs one command in a fresh process, in the workspace the step before it left.

        Args:
            command: A `str` is a script for `/bin/sh`, taken verbatim: `&&`, pipes and several
                lines work. A list is a program and its arguments, without a shell. Results and
                secrets inside are filled in when the step starts.
            name: What people see. By default the command itself.
            image: Container image. By default the pipeline's; without one, the host.
            env: Environment variables, added to the runner's few.
            check: Raise `StepFailed` when the exit code is not 0. With False the code is a result
                to branch on.
            capture: Return standard output (UTF-8, at most 1 MiB, without trailing newlines)
                instead of the exit code.
            timeout: Seconds, or text such as "90s", "10m", "1h30m". The step is killed and fails
                when it takes longer.
            inputs: Paths and globs of all it reads. With `outputs`, the step sees only these, is
                cached, and may start before earlier steps that it has nothing to do with.
            outputs: Paths and globs of all it writes and later steps keep.
            cache: True to cache a step also without `inputs` or `outputs`: what is not declared is
                everything. False never to. By default a step is cached when it declares both.
            needs: Results of the steps that must succeed first, instead of all earlier ones.
            retries: How many times to try again after a failure, or a `Retry`.
            resources: CPU, memory, disk and GPUs to reserve: a `Resources`, or a dict of its
                arguments.
            workdir: Folder to run in, relative to the workspace.
            services: Containers to run beside it, each a `Service`.

        Returns:
            The exit code, a `Code` (an `int`); with `capture=True` the output, an `Output`
            (a `str`).

        Raises:
            StepFailed: `check` is True and the exit code is not 0. Inside `parallel()` it is
                raised at the end of the block instead.
            RuntimeError: The file was started without danube.

        Example:
            step.run("npm ci", inputs=["package-lock.json"], outputs=["node_modules/"])
            version = step.run("git describe --tags", capture=True)
            step.run(["docker", "push", f"registry.example.org/app:{version}"], timeout="10m")
        """
        backend = _runtime.backend
        if backend is None:
            raise _runtime.missing()
        return backend.run_step(
            command, name, image, env, check, capture, timeout, inputs, outputs,
            cache, needs, retries, resources, workdir, services,
        )  # fmt: skip

    def __repr__(self) -> str:
        return "<danube.step>"
