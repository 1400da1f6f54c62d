"""Powers on the wire are never more than was asked for, and close to it."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.ladder.rate import read_rate, wire_rate
from parkwatt.io.ocpp.session.settings import ChargerSettings


@given(st.floats(-350.0, 350.0), st.sampled_from(["W", "A"]), st.sampled_from([1, 2, 3]))
def test_rounding(power_kw: float, rate_unit: Literal["W", "A"], phase_count: int) -> None:
    settings = ChargerSettings(phase_count=phase_count)
    rate = wire_rate(power_kw, rate_unit, settings)
    back_kw = read_rate(rate, rate_unit, settings, None)
    step_kw = 0.001 if rate_unit == "W" else 0.1 * 0.23 * phase_count
    assert abs(back_kw) <= abs(power_kw) + 1e-6
    assert abs(back_kw - power_kw) <= step_kw + 1e-6
    assert isinstance(rate, int) or round(rate, 1) == rate
