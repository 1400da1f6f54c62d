"""How the kernels are compiled: by Numba, without Python's lock, cached on disk.

The cache lies in ``__pycache__`` beside the source, or in Numba's cache folder of the user where that may not be written;
``NUMBA_CACHE_DIR`` moves it; where nothing may be written, each process compiles anew. Numba looks only at the date of the file
that a kernel stands in, and a kernel holds the parts of other files too, so here what is kept counts for one state of all
their sources. Numba comes with the extra ``fleet``: a home that plans one car does not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile a kernel when it is first called."""
    return cast("_F", _compiler(function))


def inlined(function: _F) -> _F:
    """Compile a part of kernels into each of them."""
    return cast("_F", _compiler(function, inline="always"))


def _compiler(function: Callable[..., Any], **options: Any) -> Any:
    # Sums may be taken in another order, so that they are taken several at a time; NaN stays NaN.
    order = {"contract", "nsz", "reassoc"}
    compile_it = partial(numba.njit, nogil=True, error_model="numpy", fastmath=order, **options)
    try:
        dispatcher: Any = compile_it(cache=True)(function)
    except RuntimeError:  # there is no folder to keep it in
        return compile_it()(function)
    packages = {__package__, function.__module__.rpartition(".")[0]}
    digests = tuple(_digest(one) for one in sorted(packages))
    dispatcher._cache._cache_file._source_stamp = digests  # noqa: SLF001  Numba has no other way
    return dispatcher


@cache
def _digest(package: str) -> str:
    """Of all sources of a package."""
    sources = sorted(
        (source.name, source.read_bytes())
        for source in files(package).iterdir()
        if source.name.endswith(".py")
    )
    return sha256(repr(sources).encode()).hexdigest()


def _lowest_bit(_: Any, _word: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), build


def _highest_bit(_: Any, _word: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.xor(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.uint64), build


# The place of the lowest and of the highest bit that is set, in a word that is not 0; one instruction each.
lowest_bit = cast("Callable[[np.uint64], int]", intrinsic(_lowest_bit))
highest_bit = cast("Callable[[np.uint64], int]", intrinsic(_highest_bit))
