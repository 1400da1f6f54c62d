"""Every message that a station may send is answered by the schema, whatever it says."""

from __future__ import annotations

import pytest

from parkwatt.domain.charger.event import DeviationSeen, NoticeReceived
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.session import v2
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.messages.generate import example, generator, mutated
from tests.io.ocpp.session.made_v2 import Talk

VERSIONS = (Version.V201, Version.V21)
HANDLED = [
    (version, action)
    for version in VERSIONS
    for action in sorted(v2.HANDLERS)
    if messages.has_action(version, action)
]
# What a back end sends, by the direction given in Part 2; all else comes from stations. DataTransfer goes both ways.
SENT_BY_BACK_END = frozenset(
    [
        "AFRRSignal",
        "AdjustPeriodicEventStream",
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ChangeTransactionTariff",
        "ClearCache",
        "ClearChargingProfile",
        "ClearDERControl",
        "ClearDisplayMessage",
        "ClearTariffs",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDERControl",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetPeriodicEventStream",
        "GetReport",
        "GetTariffs",
        "GetTransactionStatus",
        "GetVariables",
        "InstallCertificate",
        "NotifyAllowedEnergyTransfer",
        "PublishFirmware",
        "RequestBatterySwap",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SetDERControl",
        "SetDefaultTariff",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UnpublishFirmware",
        "UpdateDynamicSchedule",
        "UpdateFirmware",
        "UsePriorityCharging",
    ]
)


class Signer:
    """An office that signs everything."""

    def sign(self, charger_id: str, request_pem: str) -> str | None:
        """A chain in name only."""
        return f"chain for {charger_id}, {len(request_pem)} characters"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_of_a_station_has_a_handler(version: Version) -> None:
    handled = {*v2.HANDLERS, *v2.SEND_HANDLERS}
    from_stations = messages.actions(version) - SENT_BY_BACK_END
    assert from_stations == {action for action in handled if messages.has_action(version, action)}
    assert not SENT_BY_BACK_END & handled


@pytest.mark.parametrize(("version", "action"), HANDLED)
def test_any_message_gets_a_reply_by_the_schema(version: Version, action: str) -> None:
    rng = generator(len(action))
    consents = ChargerSettings(discharge=True)
    listed = ChargerSettings(tokens=frozenset({"AA11"}))
    talks = [Talk(version, settings, Signer()) for settings in (consents, listed)]
    for number in range(15):
        share = (0.0, 0.5, 1.0)[number % 3]
        for talk in talks:
            talk.pass_s(1)
            talk.tell(action, example(version, action, "request", rng, share=share))


@pytest.mark.parametrize(("version", "action"), HANDLED)
def test_what_is_wrong_and_understood_gets_a_reply_by_the_schema(
    version: Version, action: str
) -> None:
    rng = generator(100 + len(action))
    talk = Talk(version, ChargerSettings(discharge=True), Signer())
    understood = 0
    for _ in range(40):
        wrong = mutated(example(version, action, "request", rng, share=0.7), rng)
        try:
            reply = talk.say(action, wrong)
        except messages.MessageFault:
            continue
        messages.check_response(version, action, reply)
        understood += 1
    assert understood


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_twice_gets_the_same_reply(version: Version) -> None:
    rng = generator(7)
    for action in sorted(v2.HANDLERS):
        if messages.has_action(version, action):
            talk = Talk(version)
            payload = example(version, action, "request", rng)
            assert talk.tell(action, payload) == talk.tell(action, payload)


def test_what_is_kept_is_kept_as_it_came() -> None:
    talk = Talk(Version.V21)
    stream = {
        "id": 3,
        "pending": 0,
        "basetime": talk.clock(),
        "data": [{"t": 0.5, "v": "230.1"}],
    }
    talk.send("NotifyPeriodicEventStream", stream)
    (notice,) = talk.heard(NoticeReceived)
    assert (notice.action, notice.critical) == ("NotifyPeriodicEventStream", False)
    assert (
        messages.decode_request(Version.V21, notice.action, notice.payload).message
        == messages.decode_request(Version.V21, notice.action, messages.encode(stream)).message
    )


def test_a_clock_that_is_not_set_is_told() -> None:
    talk = Talk()
    place = {"evseId": 1, "connectorId": 1, "connectorStatus": "Available"}
    talk.say("StatusNotification", {"timestamp": "1970-01-01T00:00:05Z", **place})
    (deviation,) = talk.heard(DeviationSeen)
    assert (deviation.action, deviation.field) == ("StatusNotification", "timestamp")
    assert talk.state.evses[1].availability == "available"
