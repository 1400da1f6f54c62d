"""Mean power by energy registers: right within what a step of them allows, and unknown before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.ladder.by_register import mean_power_kw
from parkwatt.io.ocpp.ladder.memory import EvseMemory

START_UNIX_US = 1_767_225_600_000_000


def reading(
    at_s: float,
    power_kw: float,
    step_kwh: float,
    *,
    has_export: bool = True,
    start_kwh: float = 4321.123456,
) -> MeterReading:
    """What meters with such a step show after a constant power."""
    moved_kwh = power_kw * at_s / 3600.0
    import_kwh = round((start_kwh + max(moved_kwh, 0.0)) // step_kwh * step_kwh, 6)
    export_kwh = round((start_kwh - min(moved_kwh, 0.0)) // step_kwh * step_kwh, 6)
    return MeterReading(
        START_UNIX_US + round(at_s) * 1_000_000,
        energy_import_kwh=import_kwh,
        energy_export_kwh=export_kwh if has_export else None,
    )


def means(
    power_kw: float, step_kwh: float, interval_s: float, seconds: float, asked_kw: float = 0.0
) -> list[tuple[float, float]]:
    """(time, mean) as they come."""
    evse = EvseMemory(1, wanted=SetPower(1, asked_kw, 300, "a test"))
    found = []
    for index in range(int(seconds / interval_s) + 1):
        at_s = index * interval_s
        now_unix_us = START_UNIX_US + round(at_s * 1e6)
        mean_kw = mean_power_kw(evse, reading(at_s, power_kw, step_kwh), 0, now_unix_us)
        if mean_kw is not None:
            found.append((at_s, mean_kw))
    return found


@given(
    st.floats(-11.0, 11.0),
    st.sampled_from([0.00001, 0.0001, 0.001, 0.01]),
    st.sampled_from([1.0, 2.0, 7.0, 10.0, 30.0]),
)
def test_a_mean_is_right_within_two_tenths_or_a_tenth(
    power_kw: float, step_kwh: float, interval_s: float
) -> None:
    for _, mean_kw in means(power_kw, step_kwh, interval_s, 110.0):
        allowed_kw = max(0.2, 0.1 * abs(mean_kw))
        assert mean_kw == pytest.approx(power_kw, abs=allowed_kw + 0.01)


def test_a_coarse_register_takes_its_time() -> None:
    assert means(0.0, 0.001, 1.0, 60.0)[0][0] == 18.0, "1 Wh in 18 s is 0.2 kW"
    assert means(0.0, 0.001, 1.0, 60.0, asked_kw=-6.0)[0][0] == 6.0, "a tenth of 6 kW is as good"
    assert means(7.0, 0.001, 1.0, 60.0)[0][0] == 5.0
    assert means(7.0, 0.1, 1.0, 110.0) == []


def test_readings_before_the_setpoint_do_not_count() -> None:
    evse = EvseMemory(1)
    told_unix_us = START_UNIX_US + 15_000_000
    found = [
        at_s
        for at_s in range(0, 50, 10)
        if mean_power_kw(
            evse, reading(at_s, 7.0, 1e-5), told_unix_us, START_UNIX_US + at_s * 1_000_000
        )
        is not None
    ]
    assert found == [30, 40]


def test_other_registers_and_old_readings_begin_anew() -> None:
    evse = EvseMemory(1)

    def mean(at_s: float, *, has_export: bool = True) -> float | None:
        told = reading(at_s, 7.0, 1e-5, has_export=has_export)
        return mean_power_kw(evse, told, 0, START_UNIX_US + round(at_s * 1e6))

    assert mean(0.0) is None
    assert mean(10.0, has_export=False) is None
    assert mean(20.0) is None
    assert mean(30.0) == pytest.approx(7.0, abs=0.1)
    assert mean(400.0) is None
    assert mean(410.0) == pytest.approx(7.0, abs=0.1)
    assert mean(405.0) is None, "an older one"
    assert mean_power_kw(evse, MeterReading(soc=0.5), 0, START_UNIX_US) is None
