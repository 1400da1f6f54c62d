"""The plots as plotly.js figures: plain dicts whose series are base64 float32, so that a year stays small.

A colour that starts with ``--`` is the name of a colour of the page ("--car", "--car/0.3" with an opacity); the page's script
puts in the light or the dark one.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from parkwatt.domain.record import FloatArray

Spec = dict[str, Any]  # what plotly.js takes is open by nature


def packed(values: FloatArray | Sequence[float]) -> Spec:
    """A series as plotly.js and the page's script read it: little-endian float32 in base64; NaN is a gap."""
    array = np.asarray(values, dtype="<f4")
    return {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode("ascii")}
