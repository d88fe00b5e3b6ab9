"""Chooses the engine of a placebo: compiled where it can follow the rule, else the replay."""

from __future__ import annotations

import importlib.util

from backtests.batch.pools import make_pool
from backtests.batch.replay_engine import Engine, ReplayEngine
from feeds.errors import InputError, did_you_mean
from strategies.rule import Rule


def is_compiled_engine_here() -> bool:
    """Says whether numba, which the compiled engine needs, is installed."""
    return importlib.util.find_spec("numba") is not None


def engine_for(rule: Rule, name: str = "auto", workers: int = 1, scheduler: str = "") -> Engine:
    """Picks the engine by name; `auto` is the quickest one that follows the rule, `dask` the same on Dask workers.

    Raises:
        InputError: An unknown engine, one that is not installed, or one that cannot follow the rule.
    """
    if name == "replay":
        return ReplayEngine(workers=workers)
    if name not in {"auto", "kernel", "dask"}:
        raise InputError(f"unknown engine {name!r}; {did_you_mean(name, ['auto', 'kernel', 'replay', 'dask'])}")
    if not is_compiled_engine_here():
        if name == "auto":
            return ReplayEngine(workers=workers)
        raise InputError("the compiled engine needs numba: pip install 'aftershock[fast]'")
    from backtests.kernel.engine import KernelEngine, PooledEngine

    if name == "dask":
        return PooledEngine(make_pool("dask", workers=workers, scheduler=scheduler), rule)
    kernel = KernelEngine(workers=workers)
    if kernel.follows(rule):
        return kernel
    if name == "auto":
        return ReplayEngine(workers=workers)
    raise InputError(f"strategy {rule.name}: is plain Python, which the compiled engine cannot follow; use replay")
