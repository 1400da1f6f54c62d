"""From a meter's values to the fields of a site's reading."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.reading import SiteReading
from parkwatt.io.meter_reading import ROLES, MeterValues, Role, partial, sensible_all

anything = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.sampled_from(ROLES),
    anything,
    st.lists(anything, max_size=3),
    anything,
)
def test_nothing_but_sensible_numbers_reaches_a_reading(
    role: Role, power_kw: float | None, phases: list[float | None], energy_kwh: float | None
) -> None:
    values = MeterValues(
        power_kw=power_kw,
        phase_current_a=tuple(phases),
        voltage_v=tuple(phases),
        import_kwh=energy_kwh,
    )
    told = partial(role, values, 77)
    reading = msgspec.structs.replace(SiteReading(), **told)
    assert told[f"{role}_unix_us"] == 77
    power = getattr(reading, f"{role}_kw")
    assert power is None or (math.isfinite(power) and abs(power) <= 10_000.0)
    assert all(math.isfinite(current_a) for current_a in reading.phase_current_a or ())
    assert reading.import_kwh is None or math.isfinite(reading.import_kwh)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], None),
        ([None, None, None], None),
        ([1.0, 2.0, 3.0], (1.0, 2.0, 3.0)),
        ([1.0, None, None], (1.0,)),
        ([1.0, None, 3.0], None),
        ([None, 2.0, 3.0], None),
        ([1.0, math.nan], (1.0,)),
        ([1.0, 1e9], (1.0,)),
    ],
)
def test_phases_are_known_up_to_the_first_that_a_meter_lacks(
    values: list[float | None], told: tuple[float, ...] | None
) -> None:
    assert sensible_all(values, 100.0) == told


def test_an_unknown_sun_is_not_0() -> None:
    assert partial("solar", MeterValues(), 5) == {"solar_kw": None, "solar_unix_us": 5}
