"""Powers set by hand pass the guard: what it lets through, and what it takes back with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.api.by_hand_guard import judge_by_hand
from parkwatt.domain.charger.command import Approved, FrequencyCurve, ReleasePower, SetPower
from parkwatt.domain.charger.event import CarNeeds, Connected, TransactionReported
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.site.guard.facts import Proposal

NOW_UNIX_US = 1_800_000_000_000_000
CURVE = FrequencyCurve((49.8, 50.2), (-2.0, 2.0))


def judged(
    power_kw: float | None,
    settings: ChargerSettings,
    state: ChargerState | None = None,
    curve: FrequencyCurve | None = None,
    lease_s: int = 600,
) -> SetPower | ReleasePower:
    """What is sent for a power by hand."""
    proposal = Proposal("CP-1", 1, power_kw, "a test", by_driver=True, frequency_curve=curve)
    verdict = judge_by_hand(settings, state or ChargerState("CP-1"), proposal, lease_s, NOW_UNIX_US)
    assert isinstance(verdict.approved, Approved)
    assert verdict.approved.charger_id == "CP-1"
    return verdict.approved.command


@given(
    power_kw=st.floats(-50.0, 50.0),
    power_kw_max=st.floats(1.0, 22.0),
    discharge=st.booleans(),
    lease_s=st.integers(5, 86_400),
)
def test_what_the_charger_can_and_its_driver_allows_is_sent_at_once(
    power_kw: float, power_kw_max: float, discharge: bool, lease_s: int
) -> None:
    settings = ChargerSettings(discharge=discharge, power_kw_max=power_kw_max)
    command = judged(power_kw, settings, lease_s=lease_s)
    assert isinstance(command, SetPower)
    lowest_kw = -power_kw_max if discharge else 0.0
    assert command.power_kw == pytest.approx(min(max(power_kw, lowest_kw), power_kw_max), abs=0.02)
    assert command.lease_s == lease_s


def test_no_consent_is_told_as_the_reason() -> None:
    command = judged(-5.0, ChargerSettings(discharge=False))
    assert isinstance(command, SetPower)
    assert command.power_kw == 0.0
    assert "has not consented to discharging (discharge = true" in command.reason


def test_a_battery_known_to_be_empty_is_not_discharged() -> None:
    state = ChargerState("CP-1")
    state.apply(Connected("ocpp2.1", 1, "peer"), NOW_UNIX_US)
    state.apply(TransactionReported("17", "started", 1), NOW_UNIX_US)
    settings = ChargerSettings(discharge=True)
    for soc, power_kw in ((0.5, -5.0), (0.0, 0.0)):
        needs = CarNeeds(1, "DC_BPT", True, True, soc=soc, energy_capacity_kwh=60.0)
        state.evse(1).believed = None
        state.apply(CarNeeds(1, "DC_BPT", True, True, soc=0.01), NOW_UNIX_US)
        state.apply(needs, NOW_UNIX_US)
        command = judged(-5.0, settings, state)
        assert isinstance(command, SetPower)
        assert command.power_kw == pytest.approx(power_kw)


def test_a_release_and_a_curve_pass() -> None:
    settings = ChargerSettings(discharge=True, power_kw_max=11.0)
    assert isinstance(judged(None, settings), ReleasePower)
    command = judged(-3.0, settings, curve=CURVE)
    assert isinstance(command, SetPower)
    assert command.frequency_curve == CURVE


def test_a_power_below_the_least_becomes_the_least_or_none() -> None:
    settings = ChargerSettings(discharge=True, power_kw_min=1.4)
    powers = []
    for power_kw in (-0.2, -1.2, 0.2, 1.2, 1.5):
        command = judged(power_kw, settings)
        assert isinstance(command, SetPower)
        powers.append(command.power_kw)
    assert powers == [0.0, -1.4, 0.0, 1.4, 1.5]
