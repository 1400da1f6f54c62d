"""A user's own numbers, and the profiles."""

import math

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.home.grid_code import GRID_CODES, GridCode, custom_grid_code, ramp_kw

GERMAN = {
    "voltage_pu_min": 0.85,
    "voltage_pu_max": 1.1,
    "frequency_hz_min": 47.5,
    "frequency_hz_max": 50.1,
    "delay_s": 60.0,
    "ramp_s": 600.0,
    "nominal_hz": 50.0,
}
AMERICAN = {
    "voltage_pu_min": 0.917,
    "voltage_pu_max": 1.05,
    "frequency_hz_min": 59.5,
    "frequency_hz_max": 60.1,
    "delay_s": 300.0,
    "ramp_s": 300.0,
    "nominal_hz": 60.0,
}


def own(numbers: dict[str, float], name: str = "own", source: str = "a letter") -> GridCode:
    return custom_grid_code(name=name, source=source, field="grid_code", **numbers)


def faults(numbers: dict[str, float], name: str = "own", source: str = "a letter") -> list[str]:
    with pytest.raises(InputError) as caught:
        own(numbers, name, source)
    return [str(fault) for fault in caught.value.faults]


def test_own_numbers() -> None:
    code = own(GERMAN)
    assert {field: getattr(code, field) for field in GERMAN} == GERMAN
    assert code.source == "a letter"
    assert ramp_kw(own(GERMAN | {"ramp_s": 0.0}), 0.0, 9.6) == 9.6, "no ramp: all at once"


def test_every_profile_could_be_entered() -> None:
    for code in GRID_CODES.values():
        entered = own({field: getattr(code, field) for field in AMERICAN}, code.name, code.source)
        assert entered == code
        assert code.source


def test_delays_of_the_profiles() -> None:
    assert {name: code.delay_s for name, code in GRID_CODES.items()} == {
        "ieee1547-2018": 300.0,
        "california-rule21-2022-sb": 15.0,
        "california-rule21-2016-sa": 60.0,
        "california-ladwp-2022-sb": 60.0,
    }


def test_all_faults_at_once() -> None:
    wrong = {
        "voltage_pu_min": 230.0,
        "voltage_pu_max": math.nan,
        "frequency_hz_min": 58.9,
        "frequency_hz_max": 61.1,
        "delay_s": 601.0,
        "ramp_s": 0.0,
        "nominal_hz": 60.0,
    }
    assert faults(wrong, " ", "") == [
        "grid_code.name: must not be empty, got ' '",
        "grid_code.source: must not be empty, got ''",
        "grid_code.voltage_pu_min: must be 0.88 to 0.95 (IEEE 1547-2018), got 230.0",
        "grid_code.voltage_pu_max: must be 1.05 to 1.06 (IEEE 1547-2018), got nan",
        "grid_code.frequency_hz_min: must be 59 to 59.9 (IEEE 1547-2018), got 58.9",
        "grid_code.frequency_hz_max: must be 60.1 to 61 (IEEE 1547-2018), got 61.1",
        "grid_code.delay_s: must be 0 to 600 (IEEE 1547-2018), got 601.0",
        "grid_code.ramp_s: must be 1 to 1000 (IEEE 1547-2018), got 0.0",
    ]


def test_exchanged_numbers_at_50_hz() -> None:
    exchanged = GERMAN | {"voltage_pu_min": 1.1, "voltage_pu_max": 0.85}
    assert faults(exchanged) == [
        "grid_code.voltage_pu_min: must be 0.8 to 0.99, got 1.1",
        "grid_code.voltage_pu_max: must be 1.01 to 1.2, got 0.85",
    ]


def test_nominal_frequency() -> None:
    assert faults(GERMAN | {"nominal_hz": 16.7}) == [
        "grid_code.nominal_hz: must be 50 or 60, got 16.7"
    ]
