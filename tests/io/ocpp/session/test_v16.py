"""Messages of a 1.6 charge point but transactions: what they become, and what is replied."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import (
    Booted,
    NoticeReceived,
    StatusChanged,
    TokenPresented,
)
from parkwatt.io.ocpp.session import v16
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.messages.generate import example
from tests.io.ocpp.session.made_v16 import Charger, stamp, unix_us

FROM_CHARGE_POINT = {
    *("Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification"),
    *("FirmwareStatusNotification", "Heartbeat", "MeterValues", "StartTransaction"),
    *("StatusNotification", "StopTransaction"),
    *("LogStatusNotification", "SecurityEventNotification", "SignCertificate"),
    "SignedFirmwareStatusNotification",
}


class Office:
    """Signs for charger C1 alone."""

    def sign(self, charger_id: str, request_pem: str) -> str | None:
        return f"signed {request_pem}" if charger_id == "C1" else None


def test_every_message_of_a_charge_point_is_handled() -> None:
    assert set(v16.HANDLERS) == FROM_CHARGE_POINT


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(FROM_CHARGE_POINT)),
            st.integers(0, 2**32),
            st.sampled_from([0.0, 0.5, 1.0]),
        ),
        max_size=12,
    )
)
def test_any_valid_messages_get_valid_replies_and_the_journal_gives_the_same_state(
    sent: list[tuple[str, int, float]],
) -> None:
    charger = Charger(ChargerSettings(tokens=frozenset({"A"})), Office())
    for action, seed, share in sent:
        message = example(Version.V16, action, "request", Random(seed), share=share)  # noqa: S311
        charger.says(action, **message)  # checks the reply
    again = charger.restarted()
    assert again.state.transactions == charger.state.transactions
    assert again.state.last_transaction_number == charger.state.last_transaction_number


def test_boot_is_accepted_with_the_time_and_the_interval() -> None:
    charger = Charger(ChargerSettings(heartbeat_s=77))
    reply = charger.says(
        "BootNotification",
        chargePointVendor="V",
        chargePointModel="M",
        chargeBoxSerialNumber="S",
        firmwareVersion="1.2",
    )
    assert reply == {
        "status": "Accepted",
        "currentTime": "2026-03-01T12:01:00.000Z",
        "interval": 77,
    }
    assert charger.of(Booted) == [Booted("V", "M", "S", "1.2")]


def test_trap_2_a_boot_with_each_link_leaves_the_transaction_open() -> None:
    charger = Charger()
    number = charger.starts()
    charger.says("BootNotification", 2, chargePointVendor="V", chargePointModel="M")
    assert charger.transaction(str(number)).open
    open_transaction = charger.state.open_transaction(1)
    assert open_transaction is not None
    assert open_transaction.transaction_id == str(number)


def test_heartbeat_tells_the_time_and_is_no_event() -> None:
    charger = Charger()
    before = len(charger.journal)
    assert charger.says("Heartbeat") == {"currentTime": "2026-03-01T12:01:00.000Z"}
    assert len(charger.journal) == before


@pytest.mark.parametrize(
    ("tokens", "token", "status"),
    [
        (None, "anything", "Accepted"),
        (frozenset({"Card-1"}), "CARD-1", "Accepted"),
        (frozenset({"Card-1"}), "Card-1", "Accepted"),
        (frozenset({"Card-1"}), "Card-2", "Invalid"),
        (frozenset(), "Card-1", "Invalid"),
    ],
)
def test_a_token_is_looked_up_without_regard_to_case(
    tokens: frozenset[str] | None, token: str, status: str
) -> None:
    charger = Charger(ChargerSettings(tokens=tokens))
    assert charger.says("Authorize", idTag=token) == {"idTagInfo": {"status": status}}
    assert charger.of(TokenPresented) == [TokenPresented(token, "", status == "Accepted")]


@pytest.mark.parametrize(
    ("status", "availability", "car"),
    [
        ("Available", "available", False),
        ("Preparing", "occupied", True),
        ("Charging", "occupied", True),
        ("SuspendedEV", "occupied", True),
        ("SuspendedEVSE", "occupied", True),
        ("Finishing", "occupied", True),
        ("Reserved", "reserved", None),
        ("Unavailable", "unavailable", None),
        ("Faulted", "faulted", None),
    ],
)
def test_a_status_says_whether_there_is_a_car(
    status: str, availability: str, car: bool | None
) -> None:
    charger = Charger()
    payload: dict[str, Any] = {
        "connectorId": 2,
        "errorCode": "NoError",
        "status": status,
        "timestamp": stamp(1),
    }
    assert charger.says("StatusNotification", **payload) == {}
    [changed] = charger.of(StatusChanged)
    assert (changed.evse_id, changed.connector_id) == (2, 1)
    assert (changed.availability, changed.car_connected) == (availability, car)
    assert (changed.error, changed.measured_unix_us) == ("", unix_us(1))


def test_a_status_of_the_whole_charger_says_nothing_of_a_car() -> None:
    charger = Charger()
    charger.says(
        "StatusNotification",
        connectorId=0,
        errorCode="GroundFailure",
        status="Faulted",
        vendorErrorCode="E7",
        info="relay",
    )
    assert charger.of(StatusChanged) == [
        StatusChanged(0, 0, "faulted", error="GroundFailure: E7: relay")
    ]


def test_a_status_that_no_enumeration_names_is_unknown() -> None:
    charger = Charger()
    charger.says("StatusNotification", connectorId=1, errorCode="NoError", status="Occupied")
    assert charger.state.evse(1).availability == "unknown"


def test_a_status_of_long_ago_is_the_state_of_now() -> None:
    charger = Charger()
    payload = {"connectorId": 1, "errorCode": "NoError", "timestamp": stamp(-600)}
    charger.says("StatusNotification", 5, status="SuspendedEV", **payload)
    assert charger.state.evse(1).car_connected is True


@pytest.mark.parametrize(
    ("action", "payload", "critical"),
    [
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}, False),
        ("FirmwareStatusNotification", {"status": "Installed"}, False),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 3}, False),
        ("SignedFirmwareStatusNotification", {"status": "Installed"}, False),
        ("SignedFirmwareStatusNotification", {"status": "InvalidSignature"}, True),
        ("SecurityEventNotification", {"type": "InvalidMessages", "timestamp": stamp(1)}, False),
        ("SecurityEventNotification", {"type": "ResetOrReboot", "timestamp": stamp(1)}, True),
    ],
)
def test_a_notice_is_kept_as_it_came(action: str, payload: dict[str, Any], critical: bool) -> None:
    charger = Charger()
    assert charger.says(action, **payload) == {}
    [notice] = charger.of(NoticeReceived)
    assert (notice.action, msgspec.json.decode(notice.payload)) == (action, payload)
    assert notice.critical is critical


def test_data_of_a_vendor_is_kept_and_not_known() -> None:
    charger = Charger()
    reply = charger.says("DataTransfer", vendorId="org.example", data="x")
    assert reply == {"status": "UnknownVendorId"}
    assert msgspec.json.decode(charger.of(NoticeReceived)[0].payload) == {
        "vendorId": "org.example",
        "data": "x",
    }


def test_a_certificate_that_is_asked_for_follows_the_reply() -> None:
    charger = Charger(office=Office())
    assert charger.says("SignCertificate", csr="PEM") == {"status": "Accepted"}
    [call] = charger.calls
    assert call.action == "CertificateSigned"
    charger.answers(call, status="Accepted")
    assert call.payload == {"certificateChain": "signed PEM"}


def test_a_site_that_signs_nothing_says_so() -> None:
    charger = Charger()
    assert charger.says("SignCertificate", csr="PEM") == {"status": "Rejected"}
    assert charger.calls == []


def test_a_chain_too_long_for_the_message_is_rejected() -> None:
    charger = Charger(office=Office())
    assert charger.says("SignCertificate", csr="x" * 10_000) == {"status": "Rejected"}
    assert charger.calls == []
