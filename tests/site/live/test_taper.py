"""The time that a nearly full battery takes longer, held against stepping through it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.live.taper import reachable_kwh, share_of_power, taper_h


@given(st.floats(0.05, 0.99), st.floats(0.05, 1.0), st.floats(20.0, 120.0), st.floats(1.0, 11.0))
def test_the_closed_form_is_the_sum_of_small_steps(
    soc: float, asked_soc: float, capacity_kwh: float, rate_kw: float
) -> None:
    energy_kwh, asked_kwh = soc * capacity_kwh, asked_soc * capacity_kwh
    step_kwh, hours = capacity_kwh / 4000.0, 0.0
    at_kwh = energy_kwh
    while at_kwh < asked_kwh:
        part_kwh = min(step_kwh, asked_kwh - at_kwh)
        hours += part_kwh / (rate_kw * share_of_power((at_kwh + part_kwh / 2) / capacity_kwh))
        at_kwh += part_kwh
    at_full_power_h = max(asked_kwh - energy_kwh, 0.0) / rate_kw
    extra_h = taper_h(energy_kwh, asked_kwh, capacity_kwh, rate_kw)
    assert at_full_power_h + extra_h == pytest.approx(hours, rel=1e-3, abs=1e-6)


@given(st.floats(0.0, 0.99), st.floats(20.0, 120.0), st.floats(1.0, 11.0), st.floats(0.0, 1.0))
def test_what_is_reached_takes_the_time_that_it_takes(
    soc: float, capacity_kwh: float, rate_kw: float, share: float
) -> None:
    energy_kwh = soc * capacity_kwh
    asked_kwh = energy_kwh + share * (capacity_kwh - energy_kwh)
    needed_h = (asked_kwh - energy_kwh) / rate_kw
    needed_h += taper_h(energy_kwh, asked_kwh, capacity_kwh, rate_kw)
    reached_kwh = reachable_kwh(energy_kwh, capacity_kwh, rate_kw, needed_h)
    assert reached_kwh == pytest.approx(asked_kwh, rel=1e-6, abs=1e-6)


def test_up_to_four_fifths_nothing_is_added() -> None:
    assert taper_h(10.0, 48.0, 60.0, 10.0) == 0.0
    assert taper_h(10.0, 60.0, 60.0, 10.0) > 1.5
