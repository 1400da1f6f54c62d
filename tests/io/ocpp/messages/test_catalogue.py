"""Every version knows its own messages."""

from __future__ import annotations

import pytest

from parkwatt.io.ocpp.messages import actions, has_action
from parkwatt.io.ocpp.messages.catalogue import schema
from parkwatt.io.ocpp.version import Version


@pytest.mark.parametrize(
    ("version", "action", "known"),
    [
        (Version.V16, "StartTransaction", True),
        (Version.V16, "SecurityEventNotification", True),
        (Version.V16, "TransactionEvent", False),
        (Version.V201, "TransactionEvent", True),
        (Version.V201, "UpdateDynamicSchedule", False),
        (Version.V21, "UpdateDynamicSchedule", True),
        (Version.V21, "NotifyPeriodicEventStream", True),
        (Version.V21, "StartTransaction", False),
        (Version.V21, "TransactionEventRequest", False),
        (Version.V16, "HeartbeatResponse", False),
        (Version.V16, "", False),
        (Version.V16, "../../v21/schemas/TransactionEvent", False),
    ],
)
def test_a_version_knows_its_actions(version: Version, action: str, known: bool) -> None:
    assert has_action(version, action) is known


def test_every_request_but_what_is_sent_has_a_response() -> None:
    assert actions(Version.V16) == actions(Version.V16, "response")
    assert actions(Version.V201) == actions(Version.V201, "response")
    assert actions(Version.V21) - actions(Version.V21, "response") == {"NotifyPeriodicEventStream"}
    assert actions(Version.V201) <= actions(Version.V21)


def test_an_unknown_message_has_no_schema() -> None:
    with pytest.raises(KeyError):
        schema(Version.V16, "TransactionEvent", "request")
