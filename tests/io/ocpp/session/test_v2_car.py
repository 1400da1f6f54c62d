"""What the car needs, and what others limit."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.charger.event import CarNeeds, ExternalLimit, NoticeReceived
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.session.made_v2 import Talk

CONSENTS = ChargerSettings(discharge=True)


def needs(talk: Talk, **charging_needs: Any) -> tuple[str, CarNeeds]:
    """What was answered and understood."""
    told = {"evseId": 1, "chargingNeeds": charging_needs}
    reply = talk.tell("NotifyEVChargingNeeds", told)
    return reply["status"], talk.heard(CarNeeds)[-1]


def test_a_bidirectional_car() -> None:
    talk = Talk(Version.V21, CONSENTS)
    status, car = needs(
        talk,
        requestedEnergyTransfer="DC_BPT",
        controlMode="DynamicControl",
        departureTime=talk.clock(8 * 3600),
        v2xChargingParameters={
            "maxChargePower": 11000,
            "maxDischargePower": -10000,
            "evTargetEnergyRequest": 20500,
            "evMinEnergyRequest": -5000,
            "evMaxEnergyRequest": 40000,
        },
    )
    assert status == "Processing"
    assert car == CarNeeds(
        1,
        "DC_BPT",
        bidirectional=True,
        dynamic=True,
        departure_unix_us=talk.now_unix_us + 8 * 3_600_000_000,
        charge_kw_max=11.0,
        discharge_kw_max=10.0,
        energy_target_kwh=20.5,
        energy_min_kwh=-5.0,
        energy_max_kwh=40.0,
        answer="Processing",
    )
    assert talk.state.evses[1].needs == car
    assert not talk.calls


def test_powers_by_phase_are_added_and_else_made_of_current() -> None:
    talk = Talk(Version.V21)
    _, car = needs(
        talk,
        requestedEnergyTransfer="AC_BPT",
        v2xChargingParameters={
            "maxChargePower": 3000,
            "maxChargePower_L2": 2000,
            "maxChargePower_L3": 1000,
            "maxDischargeCurrent": 25,
            "maxVoltage": 400,
        },
    )
    assert (car.charge_kw_max, car.discharge_kw_max) == (6.0, 10.0)


@pytest.mark.parametrize(
    ("transfer", "voltage_v", "charge_kw"),
    [
        ("AC_single_phase", 230, 3.68),
        ("AC_three_phase", 230, 11.04),
        ("AC_three_phase", 400, 11.04),  # between phases: 230.94 V each, of which the site has 230
        ("AC_three_phase", 200, 9.6),
    ],
)
def test_a_car_of_15118_2_at_ac(transfer: str, voltage_v: int, charge_kw: float) -> None:
    status, car = needs(
        Talk(),
        requestedEnergyTransfer=transfer,
        acChargingParameters={
            "energyAmount": 12000,
            "evMinCurrent": 6,
            "evMaxCurrent": 16,
            "evMaxVoltage": voltage_v,
        },
    )
    assert status == "Processing"  # 2.0.1 has no word for "no profile follows"
    assert car.charge_kw_max == pytest.approx(charge_kw)
    assert car.energy_target_kwh == 12.0
    assert not car.bidirectional
    assert car.discharge_kw_max is None


def test_a_car_of_15118_2_at_dc_tells_its_soc() -> None:
    talk = Talk()
    _, car = needs(
        talk,
        requestedEnergyTransfer="DC",
        dcChargingParameters={
            "evMaxCurrent": 125,
            "evMaxVoltage": 400,
            "stateOfCharge": 35,
            "evEnergyCapacity": 60000,
            "energyAmount": 30000,
        },
    )
    assert (car.charge_kw_max, car.soc, car.energy_capacity_kwh) == (50.0, 0.35, 60.0)
    assert talk.state.evses[1].soc(talk.now_unix_us) == 0.35


def test_a_departure_that_is_past_is_none() -> None:
    talk = Talk()
    _, car = needs(talk, requestedEnergyTransfer="DC", departureTime=talk.clock(-60))
    assert car.departure_unix_us is None


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
@pytest.mark.parametrize("settings", [ChargerSettings(), CONSENTS])
def test_no_car_is_refused(version: Version, settings: ChargerSettings) -> None:
    for transfer in ("DC", "AC_single_phase", "AC_two_phase", "AC_three_phase"):
        status, _ = needs(Talk(version, settings), requestedEnergyTransfer=transfer)
        assert status == ("Processing" if version is Version.V201 else "NoChargingProfile")


def test_a_car_that_could_discharge_is_told_that_it_may_once() -> None:
    talk = Talk(Version.V21, CONSENTS)
    talk.transaction("Started", "CablePluggedIn", 0, evse={"id": 1})
    for _ in range(3):
        needs(
            talk,
            requestedEnergyTransfer="DC",
            availableEnergyTransfer=["DC", "DC_BPT"],
        )
    (call,) = talk.calls
    assert call.action == "NotifyAllowedEnergyTransfer"
    assert call.payload["transactionId"] == "t-1"
    assert "DC_BPT" in call.payload["allowedEnergyTransfer"]


@pytest.mark.parametrize(
    ("settings", "available", "starts"),
    [
        (ChargerSettings(), ["DC", "DC_BPT"], True),  # no consent
        (CONSENTS, ["DC"], True),  # the car cannot
        (CONSENTS, ["DC", "DC_BPT"], False),  # no transaction to speak of
    ],
)
def test_else_it_is_not(settings: ChargerSettings, available: list[str], starts: bool) -> None:
    talk = Talk(Version.V21, settings)
    if starts:
        talk.transaction("Started", "CablePluggedIn", 0, evse={"id": 1})
    needs(talk, requestedEnergyTransfer="DC", availableEnergyTransfer=available)
    assert not talk.calls


def limit(
    talk: Talk, periods: list[dict[str, Any]], *, unit: str = "W", **schedule: Any
) -> list[ExternalLimit]:
    """What is understood of a limit by the grid operator."""
    told = {"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": periods, **schedule}
    talk.tell(
        "NotifyChargingLimit",
        {
            "evseId": 1,
            "chargingLimit": {"chargingLimitSource": "SO", "isGridCritical": True},
            "chargingSchedule": [told],
        },
    )
    return talk.heard(ExternalLimit)


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_the_limit_of_the_period_that_runs_now_counts(version: Version) -> None:
    talk = Talk(version)
    periods = [{"startPeriod": 0, "limit": 11000}, {"startPeriod": 600, "limit": 4200}]
    (told,) = limit(talk, periods, startSchedule=talk.clock(-900))
    assert told == ExternalLimit(1, "SO", 4.2)
    assert talk.state.evses[1].external_limits_kw == {"SO": 4.2}
    assert talk.heard(NoticeReceived)[0].critical
    cleared = {"chargingLimitSource": "SO"}
    assert talk.tell("ClearedChargingLimit", cleared) == {}
    assert talk.state.evses[1].external_limits_kw == {}


def test_a_limit_in_amperes_is_of_each_phase() -> None:
    talk = Talk(settings=ChargerSettings(voltage_v=230.0, phase_count=3))
    (told,) = limit(talk, [{"startPeriod": 0, "limit": 16}], unit="A")
    assert told.power_kw_max == pytest.approx(11.04)
    one_phase = [{"startPeriod": 0, "limit": 16, "numberPhases": 1}]
    assert limit(talk, one_phase, unit="A")[-1].power_kw_max == pytest.approx(3.68)


def test_what_does_not_limit_now_is_only_kept() -> None:
    talk = Talk(Version.V21)
    period = {"startPeriod": 0, "limit": 4200}
    assert not limit(talk, [period], startSchedule=talk.clock(-900), duration=600)
    assert not limit(talk, [period], startSchedule=talk.clock(900))
    assert not limit(talk, [{"startPeriod": 60, "limit": 4200}])
    assert not limit(talk, [{"startPeriod": 0, "setpoint": 4200}])
    local = {"chargingLimitSource": "EMS", "isLocalGeneration": True}
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
    told = {"chargingLimit": local, "chargingSchedule": [schedule]}
    talk.tell("NotifyChargingLimit", told)
    assert not talk.heard(ExternalLimit)
    assert len(talk.heard(NoticeReceived)) == 5


def test_a_station_that_pulls_gets_what_its_profile_is_to_hold() -> None:
    talk = Talk(Version.V21)
    talk.dynamic_update = lambda profile_id, _now: {"setpoint": -4000} if profile_id == 7 else None
    held = talk.tell("PullDynamicScheduleUpdate", {"chargingProfileId": 7})
    assert held == {"status": "Accepted", "scheduleUpdate": {"setpoint": -4000}}
    unknown = talk.tell("PullDynamicScheduleUpdate", {"chargingProfileId": 8})
    talk.dynamic_update = None
    for reply in (unknown, talk.tell("PullDynamicScheduleUpdate", {"chargingProfileId": 7})):
        assert reply["status"] == "Rejected"
        assert "scheduleUpdate" not in reply
