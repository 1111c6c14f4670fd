"""Pause the cyclic garbage collector while a stage builds its trees.

A stage allocates many small objects, keeps nearly all of them and makes no cycles: the collector finds nothing and visits
everything again and again. Measured on 20 roles x 50 tools x 4 constraints, it takes about half of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def collector_paused(stage: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """The same function, run with the collector off. It is on again afterwards if it was before, whatever is raised."""

    @wraps(stage)
    def paused(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        if not gc.isenabled():
            return stage(*args, **kwargs)
        gc.disable()
        try:
            return stage(*args, **kwargs)
        finally:
            gc.enable()

    return paused
