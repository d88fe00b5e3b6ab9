"""Runs many tasks: in this process, in processes of this machine, or on Dask workers.

A task is a function of a module and its arguments; answers come back in any order with the number of their task,
so that what is made of them is the same wherever they ran. Workers hold nothing that cannot be made again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Protocol

from feeds.errors import InputError, did_you_mean

ENGINES = ("processes", "dask")


class Pool(Protocol):
    """Runs tasks."""

    def run(self, work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Calls `work(*task)` for each task; yields (number of the task, answer) as they come."""
        ...


@dataclass(frozen=True, slots=True)
class Processes:
    """Runs tasks in `workers` processes of this machine; one works in this process."""

    workers: int = 1

    def run(self, work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """See `Pool`.

        Raises:
            InputError: A process was killed from outside.
        """
        if self.workers <= 1 or len(tasks) <= 1:
            yield from ((number, work(*task)) for number, task in enumerate(tasks))
            return
        with ProcessPoolExecutor(min(self.workers, len(tasks)), mp_context=get_context("spawn")) as pool:
            numbers: dict[Future[Any], int] = {pool.submit(work, *task): number for number, task in enumerate(tasks)}
            try:
                for done in as_completed(numbers):
                    yield numbers[done], done.result()
            except BrokenProcessPool:
                raise InputError(
                    "a worker process was killed; run the same command again: it resumes from here"
                ) from None
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


class Dask:
    """Runs tasks on a Dask scheduler's workers; without an address, on a cluster of `workers` processes here.

    A task whose worker dies is run again by another. Connected when it is first used, until the object goes.
    """

    def __init__(self, workers: int = 2, scheduler: str = "") -> None:
        """See above."""
        self.workers, self.scheduler = workers, scheduler
        self._client: Any = None

    def run(self, work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """See `Pool`.

        Raises:
            InputError: Dask is not installed, or the scheduler does not answer.
        """
        client, distributed = self._connected()
        numbers = {client.submit(work, *task, pure=False, retries=3): number for number, task in enumerate(tasks)}
        for done in distributed.as_completed(list(numbers)):
            yield numbers[done], done.result()
            done.release()

    def _connected(self) -> tuple[Any, Any]:
        try:
            import distributed as found
        except ImportError:
            raise InputError("--engine dask needs Dask: pip install 'aftershock[dask]'") from None
        distributed: Any = found  # it has no types
        if self._client is None:
            stack = ExitStack()
            address = self.scheduler or stack.enter_context(
                distributed.LocalCluster(
                    n_workers=self.workers, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
                )
            )
            try:
                self._client = stack.enter_context(distributed.Client(address, timeout=10))
            except (OSError, ValueError) as wrong:
                raise InputError(f"--scheduler {self.scheduler}: no Dask scheduler answers there ({wrong})") from None
            weakref.finalize(self, stack.close)
        return self._client, distributed


def make_pool(engine: str = "processes", *, workers: int = 1, scheduler: str = "") -> Pool:
    """Returns the pool of that name.

    Raises:
        InputError: An unknown name, workers below 1, or a scheduler without Dask.
    """
    if engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}; {did_you_mean(engine, ENGINES)}")
    if workers < 1:
        raise InputError(f"--workers {workers}: give 1 or more")
    if scheduler and engine != "dask":
        raise InputError("--scheduler belongs to --engine dask")
    return Dask(workers=workers, scheduler=scheduler) if engine == "dask" else Processes(workers=workers)
