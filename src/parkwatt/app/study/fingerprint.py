"""A short name for everything that decides the result of a study: its inputs and the program that replays them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

import parkwatt
from parkwatt.site.study.inputs import StudyInputs


def fingerprint(inputs: StudyInputs) -> str:
    """16 hexadecimal digits that change when any value in ``inputs`` or a line of the program changes.

    The same in every process and on every run.
    """
    return hashlib.sha256(b"".join([_program(), *_parts(inputs)])).hexdigest()[:16]


@cache
def _program() -> bytes:
    digest = hashlib.sha256(parkwatt.__version__.encode())
    for path in sorted(Path(parkwatt.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def _parts(value: object) -> Iterable[bytes]:
    """The value and all that it holds, as bytes with their kind and length in front."""
    yield type(value).__qualname__.encode()
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Mapping):
        yield from _unordered(value.items())
    elif isinstance(value, set | frozenset):
        yield from _unordered(value)
    elif isinstance(value, tuple | list):
        yield f" {len(value)} ".encode()
        for item in value:
            yield from _parts(item)
    elif isinstance(value, ZoneInfo):
        yield f"{value.key} ".encode()
    elif hasattr(value, "__self__"):  # a method: what it does depends on whose it is
        yield from _parts(value.__self__)
    else:
        yield from _object_parts(value)


def _unordered(items: Iterable[object]) -> Iterable[bytes]:
    digests = sorted(hashlib.sha256(b"".join(_parts(item))).digest() for item in items)
    yield f" {len(digests)} ".encode()
    yield from digests


def _object_parts(value: object) -> Iterable[bytes]:
    names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    held = {name: getattr(value, name) for name in names if hasattr(value, name)}
    held |= getattr(value, "__dict__", {})
    if held and type(value).__module__.startswith("parkwatt"):
        yield from _unordered(held.items())
    else:
        text = repr(value)
        yield f" {len(text)} {text}".encode()
