"""Values of SunSpec's models: where they stand, and what is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.gateway.sunspec import POINTS, WORDS
from tests.io.gateway.modbus_server import model_701, model_703, model_713

MODEL_701 = model_701(hz=59.98, volts=(120, 119, 121), forming=True)
MODEL_703 = model_703(
    high_percent=105.0, low_percent=91.7, high_hz=60.1, low_hz=59.5, delay_s=300, ramp_s=250
)


@pytest.mark.parametrize(
    ("registers", "model", "values"),
    [
        (
            MODEL_701,
            701,
            {"Hz": 59.98, "VL1": 120.0, "VL2": 119.0, "VL3": 121.0, "ConnSt": 1.0, "Forming": 1.0},
        ),
        (
            MODEL_703,
            703,
            {
                "ES": 1.0,
                "ESVHi": 105.0,
                "ESVLo": 91.7,
                "ESHzHi": 60.1,
                "ESHzLo": 59.5,
                "ESDlyTms": 300.0,
                "ESRmpTms": 250.0,
            },
        ),
        (model_713(81.5), 713, {"SoC": 81.5}),
    ],
)
def test_values_stand_where_the_models_say(
    registers: list[int], model: int, values: dict[str, float]
) -> None:
    for name, value in values.items():
        assert POINTS[model, name].read(registers) == pytest.approx(value), name


def test_what_a_device_leaves_out_is_unknown() -> None:
    assert POINTS[701, "LNV"].read(MODEL_701) is None
    assert POINTS[701, "VL3"].read(MODEL_701[:100]) is None
    without_scale = [*MODEL_701]
    without_scale[115] = 0x8000
    assert POINTS[701, "Hz"].read(without_scale) is None


@given(st.lists(st.integers(min_value=0, max_value=0xFFFF), max_size=160))
def test_no_registers_raise_and_all_values_are_finite(registers: list[int]) -> None:
    for point in POINTS.values():
        value = point.read(registers)
        assert value is None or math.isfinite(value)


def test_flags_have_words() -> None:
    assert WORDS.keys() <= POINTS.keys()
