"""What a charger offers: by version, consent, device model and car."""

import pytest

from parkwatt.domain.charger.event import CarNeeds
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.ladder.memory import Form
from parkwatt.io.ocpp.ladder.offered import form, offer
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

L0, L1, L2, L3, L4 = Rung
YES = ChargerSettings(discharge=True)
NEGATIVE = ChargerSettings(discharge=True, negative_limit=True)
AVAILABLE = {"1:V2XChargingCtrlr.Available": "true"}
MODES = {
    "1:V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly, CentralSetpoint,LocalFrequency"
}
DYNAMIC = {"SmartChargingCtrlr.SupportsDynamicProfiles": "True"}


def charger(variables: dict[str, str], bidirectional: bool | None) -> ChargerState:
    """A charger that told this of itself, with a car that agreed or did not."""
    state = ChargerState("c", variables=variables)
    if bidirectional is not None:
        transfer = "AC_BPT" if bidirectional else "AC_three_phase"
        state.apply(CarNeeds(1, transfer, bidirectional, False), 0)
    return state


@pytest.mark.parametrize(
    ("variables", "bidirectional", "settings", "version", "rungs"),
    [
        (MODES | DYNAMIC, True, ChargerSettings(negative_limit=True), Version.V21, (L0,)),
        ({}, None, YES, Version.V21, (L0,)),
        ({}, True, YES, Version.V21, (L2, L0)),
        ({}, True, NEGATIVE, Version.V21, (L2, L1, L0)),
        ({}, False, NEGATIVE, Version.V21, (L0,)),
        (DYNAMIC, None, YES, Version.V21, (L0,)),
        (DYNAMIC, True, YES, Version.V21, (L3, L2, L0)),
        (AVAILABLE, None, YES, Version.V21, (L2, L0)),
        (MODES, None, YES, Version.V21, (L4, L2, L0)),
        (MODES | DYNAMIC, True, YES, Version.V21, (L4, L3, L2, L0)),
        (AVAILABLE | {"1:V2XChargingCtrlr.Enabled": "false"}, True, YES, Version.V21, (L0,)),
        ({"1:V2XChargingCtrlr.Available": "false"}, True, NEGATIVE, Version.V21, (L1, L0)),
        (
            {"V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly"},
            True,
            YES,
            Version.V21,
            (L0,),
        ),
        (MODES, None, YES, Version.V201, (L0,)),
        ({}, False, NEGATIVE, Version.V201, (L1, L0)),
        ({}, None, NEGATIVE, Version.V16, (L1, L0)),
        ({}, None, YES, Version.V16, (L0,)),
    ],
)
def test_rungs(
    variables: dict[str, str],
    bidirectional: bool | None,
    settings: ChargerSettings,
    version: Version,
    rungs: tuple[Rung, ...],
) -> None:
    found = offer(charger(variables, bidirectional), settings, version, 1)
    assert found.rungs == rungs
    assert found.reason


@pytest.mark.parametrize(
    ("variables", "version", "expected"),
    [
        ({}, Version.V21, Form(1, "W")),
        ({"SmartChargingCtrlr.ProfileStackLevel": "0"}, Version.V201, Form(0, "W")),
        ({"SmartChargingCtrlr.RateUnit": "A"}, Version.V21, Form(1, "A")),
        ({"SmartChargingCtrlr.RateUnit": "A,W"}, Version.V21, Form(1, "W")),
        ({"ChargingScheduleAllowedChargingRateUnit": "Current"}, Version.V16, Form(1, "A")),
        ({"ChargingScheduleAllowedChargingRateUnit": "Current,Power"}, Version.V16, Form(1, "W")),
        ({"ChargeProfileMaxStackLevel": "0"}, Version.V16, Form(0, "W")),
    ],
)
def test_forms(variables: dict[str, str], version: Version, expected: Form) -> None:
    assert form(charger(variables, None), version) == expected
