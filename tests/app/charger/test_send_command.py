"""`parkwatt send` and `parkwatt charger show` against a real server with virtual chargers of 1.6 and 2.1."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from parkwatt.app.cli import main
from tests.app.serve.running import RunningServer

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture(scope="module")
def ready(server: RunningServer) -> None:
    """Both chargers charge a car."""

    def charging(view: dict[str, Any]) -> bool:
        return any(evse["transaction_id"] for evse in view["evses"])

    async def wait() -> None:
        await server.shows("/v1/chargers", lambda views: len(views) == 2)
        for charger_id in ("V16", "V21"):
            await server.charger(charger_id, charging)

    asyncio.run(wait())


def send(server: RunningServer, *words: str) -> int:
    """The exit code of a command by hand."""
    return main(["send", str(server.site), *words])


def test_an_accepted_message_prints_the_answer(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = '{"requestedMessage": "Heartbeat"}'
    assert send(server, "V21", "TriggerMessage", "--payload", wish) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "Accepted"
    assert send(server, "V21", "TriggerMessage", "requestedMessage=Heartbeat") == 0


def test_a_number_is_a_text_where_the_message_wants_one(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("V16", "ChangeConfiguration", "key=MeterValueSampleInterval", "value=60")
    assert send(server, *words) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "Accepted"
    shown = server.api.get("/v1/journal", kind="command.sent", charger_id="V16", limit=1000)
    by_hand = [entry["payload"] for entry in shown if entry["payload"]["purpose"] == "hand"]
    assert len(by_hand) == 1


def test_a_refusal_is_1(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert send(server, "V16", "ChangeConfiguration", "key=NoSuchKey", "value=1") == 1
    assert json.loads(capsys.readouterr().out)["status"] != "Accepted"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("V16", "Reset", "type=Nope"), "type: must be one of Hard, Soft, got 'Nope'"),
        (("V16", "Reset"), "type: "),
        (("V16", "Reset", "Hard"), "FIELD: must be name=value, got 'Hard'"),
        (("V16", "Reset", "=Hard"), "FIELD: must be name=value"),
        (("V16", "Reset", "type=Hard", "type.of=1"), "type.of: 'type' has a value already"),
        (("V16", "Reset", "--payload", "{"), "--payload: must be a JSON object"),
        (("V16", "Reset", "--payload", "[1]"), "--payload: must be a JSON object"),
        (("V16", "GetVariables"), "action: must be a message that a back end sends in ocpp1.6"),
        (("V21", "Heartbeat"), "action: must be a message that a back end sends in ocpp2.1"),
        (("V21", "set-power"), "set-power: must be followed by the power in kW"),
        (("V21", "set-power", "much"), "set-power: must be followed by the power in kW"),
        (("V21", "set-power", "nan"), "set-power: must be followed by the power in kW"),
        (("V21", "set-power", "1", "2"), "set-power: must be followed by the power in kW"),
        (("V21", "set-power", "99999"), "power_kw: "),
        (("V21", "set-power", "1", "--lease", "0"), "lease_s: "),
        (("V21", "release-power", "now"), "release-power: takes no field, got 'now'"),
        (("V21", "Reset", "type=OnIdle", "--timeout", "0"), "timeout_s: "),
    ],
)
def test_what_breaks_a_rule_is_told_in_a_line_and_not_sent(
    server: RunningServer, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert send(server, *words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(told)
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("GONE", "Reset"), "404: no charger 'GONE' was heard of"),
        (("V21", "set-power", "1", "--evse", "0"), "404: evse_id must be from 1 to 256"),
    ],
)
def test_what_is_not_there_is_3(
    server: RunningServer, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert send(server, *words) == 3
    assert told in capsys.readouterr().err


def test_a_power_is_held_and_released(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(server, "V21", "set-power", "-3.5", "--lease", "60") == 0
    assert "rung L" in capsys.readouterr().out
    assert send(server, "V21", "release-power") == 0
    assert send(server, "V21", "forget-rung") == 0
    kinds = [e["kind"] for e in server.api.get("/v1/journal", charger_id="V21", limit=1000)]
    assert kinds.index("setpoint.asked") < kinds.index("setpoint.released")


def test_show_and_list_tell_what_the_charger_is_and_does(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["charger", "show", str(server.site), "V21"]) == 0
    shown = capsys.readouterr().out
    assert "connected, ocpp2.1, from 127.0.0.1:" in shown
    assert "a car is connected; transaction " in shown
    assert "last messages" in shown
    assert main(["charger", "list", str(server.site)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["V16", "connected", "1.6"],
        ["V21", "connected", "2.1"],
    ]
    assert main(["charger", "show", str(server.site), "GONE"]) == 3
