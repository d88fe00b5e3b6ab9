"""A rule's step as numba compiles it: the function and, by name, every plain function that it calls."""

from __future__ import annotations

from types import FunctionType


def compile_step(function, done=None):
    """Returns `function` in nopython mode; the functions it names are compiled first."""
    import numba

    done = {} if done is None else done
    if function not in done:
        names = {name: value for name, value in function.__globals__.items() if name in function.__code__.co_names}
        for name, value in names.items():
            if isinstance(value, FunctionType) and not hasattr(value, "__wrapped__"):
                names[name] = compile_step(value, done)
        bare = FunctionType(
            function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__
        )
        done[function] = numba.njit(bare)
    return done[function]
