"""What a hand must not send, however right its schema."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp.by_hand import check_by_hand
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

CONSENT = ChargerSettings(discharge=True)
KNOWN = ChargerSettings(discharge=True, negative_limit=True)


def _profile(**period: Any) -> dict[str, Any]:
    schedule = {
        "id": 1,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, **period}],
    }
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    return {"evseId": 1, "chargingProfile": profile}


def _check(settings: ChargerSettings, **period: Any) -> None:
    check_by_hand(Version.V21, settings, "SetChargingProfile", _profile(**period))


@pytest.mark.parametrize(
    ("settings", "period"),
    [
        (ChargerSettings(), {"limit": 7000.0}),
        (ChargerSettings(), {"operationMode": "CentralSetpoint", "setpoint": 7000.0}),
        (CONSENT, {"operationMode": "CentralSetpoint", "setpoint": -7000.0}),
        (KNOWN, {"limit": -7000.0}),
        (ChargerSettings(), {"limit": 0.0}),
    ],
)
def test_what_may_be_sent(settings: ChargerSettings, period: dict[str, Any]) -> None:
    _check(settings, **period)


@pytest.mark.parametrize(
    ("settings", "period", "told"),
    [
        (ChargerSettings(), {"setpoint": -1.0}, "consent"),
        (CONSENT, {"limit": -1.0}, "full power"),
        (ChargerSettings(negative_limit=True), {"limit": -1.0}, "full power"),
        (CONSENT, {"setpoint": 1.0, "limit": 1.0}, "beside a set-point"),
        (CONSENT, {"operationMode": "CentralSetpoint", "setpoint": 1.0, "limit": 1.0}, "beside"),
        (CONSENT, {"setpoint_L2": 1.0, "dischargeLimit_L3": -1.0}, "beside a set-point"),
    ],
)
def test_what_must_not_be_sent(
    settings: ChargerSettings, period: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        _check(settings, **period)


def test_all_faults_are_told_at_once_with_their_place() -> None:
    with pytest.raises(InputError) as caught:
        _check(ChargerSettings(), setpoint=-1.0, limit=-2.0)
    told = str(caught.value)
    assert told.count("chargingProfile.chargingSchedule[0].chargingSchedulePeriod[0].") == 3


@pytest.mark.parametrize(
    ("version", "action"),
    [
        (Version.V16, "BootNotification"),
        (Version.V16, "GetVariables"),
        (Version.V201, "TransactionEvent"),
        (Version.V201, "ChangeConfiguration"),
        (Version.V21, "Nonsense"),
    ],
)
def test_only_messages_of_a_back_end_are_sent(version: Version, action: str) -> None:
    with pytest.raises(InputError, match="a back end sends"):
        check_by_hand(version, KNOWN, action, {})


def test_the_schema_is_held() -> None:
    with pytest.raises(InputError, match="type"):
        check_by_hand(Version.V201, KNOWN, "Reset", {})
    check_by_hand(Version.V201, KNOWN, "DataTransfer", {"vendorId": "V"})
