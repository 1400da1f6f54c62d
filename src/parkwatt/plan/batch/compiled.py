"""How the kernels are compiled: by Numba, without Python's lock, cached on disk.

The cache lies in ``__pycache__`` beside the source, or in Numba's cache folder of the user where that may not be written;
``NUMBA_CACHE_DIR`` moves it. Numba comes with the extra ``fleet``: a home that plans one car does not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile a kernel when it is first called."""
    return cast("_F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: _F) -> _F:
    """Compile a part of kernels into each of them."""
    return cast(
        "_F", numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)
    )


def _lowest_bit(_: Any, _word: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), build


def _highest_bit(_: Any, _word: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.uint64), build


# The place of the lowest and of the highest bit that is set, in a word that is not 0; one instruction each.
lowest_bit = cast("Callable[[np.uint64], int]", intrinsic(_lowest_bit))
highest_bit = cast("Callable[[np.uint64], int]", intrinsic(_highest_bit))
