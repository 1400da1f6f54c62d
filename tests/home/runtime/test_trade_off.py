"""What is kept for driving against hours: sums by hand, and the same as one forecast for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.forecast.local_time import HOUR_S
from parkwatt.home.runtime import Absence, Mobility, forecast_runtime, trade_off
from tests.home.runtime.made_request import NOW_UNIX_S, battery, constant_use, request, sun

READY_UNIX_S = NOW_UNIX_S + 12 * HOUR_S


def test_each_kwh_kept_costs_what_it_would_have_fed() -> None:
    asked = request(use=constant_use((2.0,)))
    found = trade_off(asked, "car", READY_UNIX_S, (0.0, 10.0, 20.0, 30.0, 80.0), 20)
    # 50 kWh in the car, of which its floor of 10 stays whatever is asked for.
    assert [one.hours.p50_h for one in found] == pytest.approx([20, 20, 15, 10, 0], abs=0.01)
    assert [one.energy_kwh for one in found] == [0.0, 10.0, 20.0, 30.0, 80.0]
    assert trade_off(asked, "car", READY_UNIX_S, ()) == ()
    with pytest.raises(ValueError, match="one of the batteries"):
        trade_off(asked, "none", READY_UNIX_S, (5.0,))


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.floats(0.0, 60.0), min_size=1, max_size=5, unique=True),
    st.booleans(),
    st.sampled_from([frozenset[str](), frozenset({"dryer"})]),
)
def test_it_says_what_a_forecast_for_each_says_and_more_kept_never_lasts_longer(
    energies_kwh: list[float], leaves: bool, off: frozenset[str]
) -> None:
    absences = (Absence(leaves_unix_s=READY_UNIX_S, trip_kwh=5.0),) if leaves else ()
    house = battery(battery_id="house", energy_kwh=8.0, floor_kwh=1.0, capacity_kwh=13.5)
    asked = request(
        batteries=(battery(absences=absences), house), solar_kw=sun(4.0), restart_kwh=0.5, off=off
    )
    found = trade_off(asked, "car", READY_UNIX_S, sorted(energies_kwh), 30)
    for one in found:
        kept = Mobility(battery_id="car", energy_kwh=one.energy_kwh, ready_unix_s=READY_UNIX_S)
        alone = forecast_runtime(replace(asked, mobility=kept), 30)
        assert one.hours == alone.hours
    assert (np.diff([one.hours.p50_h for one in found]) <= 1e-9).all()
