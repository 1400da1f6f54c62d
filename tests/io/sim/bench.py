"""A back end in a few lines, for stations without sockets: answers every request and checks every frame's schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.frames import check_payload
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import VirtualStation

START_US = 1_700_000_000_000_000
SECOND_US = 1_000_000
Payload = dict[str, Any]

ANSWERS: dict[str, Payload] = {
    "BootNotification": {
        "currentTime": "2023-11-14T22:13:20Z",
        "interval": 300,
        "status": "Accepted",
    },
    "Authorize": {
        "idTokenInfo": {"status": "Accepted"},
        "idTagInfo": {"status": "Accepted"},
        "allowedEnergyTransfer": ["AC_three_phase", "AC_BPT", "DC", "DC_BPT"],
    },
    "StartTransaction": {"transactionId": 7, "idTagInfo": {"status": "Accepted"}},
    "NotifyEVChargingNeeds": {"status": "Accepted"},
    "OpenPeriodicEventStream": {"status": "Accepted"},
    "PullDynamicScheduleUpdate": {"status": "Rejected"},
    "SignCertificate": {"status": "Accepted"},
    "Heartbeat": {"currentTime": "2023-11-14T22:13:20Z"},
}


class Bench:
    """A station and its small back end. ``requests`` holds (action, payload) of all that the station sent."""

    def __init__(self, settings: StationSettings, *, connect: bool = True) -> None:
        self.protocol = settings.protocol
        self.now_us = START_US
        self.station: VirtualStation = virtual_station(settings, START_US)
        self.requests: list[tuple[str, Payload]] = []
        self.sends: list[tuple[str, Payload]] = []
        self.message_ids: list[str] = []
        self.answers = dict(ANSWERS)
        self.silent: set[str] = set()
        self._next_id = 0
        if connect:
            self.connect()

    def connect(self) -> None:
        """Open the link."""
        self.pump(self.station.connect(self.now_us))

    def disconnect(self) -> None:
        """Lose the link."""
        self.station.disconnect(self.now_us)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until_us = self.now_us + round(seconds * SECOND_US)
        while self.now_us < until_us:
            self.now_us = min(until_us, self.station.next_tick_unix_us)
            self.pump(self.station.tick(self.now_us))

    def ask(self, action: str, payload: Payload) -> Payload:
        """Send a request; returns the answer's payload, or `{"error": code}`."""
        self._next_id += 1
        message_id = f"bench-{self._next_id}"
        frames = self.station.receive(json.dumps([2, message_id, action, payload]), self.now_us)
        mine = [json.loads(frame) for frame in frames if json.loads(frame)[1] == message_id]
        self.pump(frame for frame in frames if json.loads(frame)[1] != message_id)
        [answer] = mine
        if answer[0] == 4:
            return {"error": answer[2]}
        check_payload(self.protocol, action, answer[2], is_answer=True)
        return dict(answer[2])

    def pump(self, frames: Iterable[str]) -> None:
        """Answer the station's requests until it is quiet."""
        waiting = list(frames)
        while waiting:
            kind, message_id, *rest = json.loads(waiting.pop(0))
            if kind == 6:
                self.sends.append((rest[0], rest[1]))
                continue
            assert kind == 2
            action, payload = rest
            check_payload(self.protocol, action, payload)
            self.requests.append((action, payload))
            self.message_ids.append(message_id)
            if action in self.silent:
                continue
            answer = dict(self.answers.get(action, {}))
            if action == "Authorize":
                answer = {k: answer[k] for k in self._known_fields() if k in answer}
            waiting += self.station.receive(json.dumps([3, message_id, answer]), self.now_us)

    def told(self, action: str) -> list[Payload]:
        """The payloads of an action, in order."""
        return [payload for name, payload in self.requests if name == action]

    def _known_fields(self) -> tuple[str, ...]:
        if self.protocol == "1.6":
            return ("idTagInfo",)
        return (
            ("idTokenInfo", "allowedEnergyTransfer") if self.protocol == "2.1" else ("idTokenInfo",)
        )


def tx_profile(bench: Bench, period: Payload, *, kind: str = "Absolute", **more: Any) -> Payload:
    """A SetChargingProfile request of 2.x for the running transaction with one period in W."""
    transaction = bench.station.transaction
    assert transaction is not None
    schedule: Payload = {
        "id": 1,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, **period}],
        **more.pop("schedule", {}),
    }
    if kind == "Absolute":
        schedule.setdefault("startSchedule", "2023-11-14T22:13:20Z")
    profile = {
        "id": 10,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": kind,
        "transactionId": transaction.id,
        "chargingSchedule": [schedule],
        **more,
    }
    return {"evseId": 1, "chargingProfile": profile}
