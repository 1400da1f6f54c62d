"""A charger of the back end and a virtual station, linked without a socket: real frames, both ways, in simulated time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.event import ChargerEvent, SetpointJudged
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version
from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings

START_UNIX_US = 1_767_225_600_000_000
STEP_S = 0.1
VERSIONS: dict[Protocol, Version] = {
    "1.6": Version.V16,
    "2.0.1": Version.V201,
    "2.1": Version.V21,
}


class Link:
    """Both ends. ``calls``: (action, payload) of all that the back end asked.

    ``refused_purpose``: profiles of that purpose are refused; ``strips_power``: the meter's powers do not come through.
    """

    def __init__(
        self,
        protocol: Protocol,
        station: StationSettings | None = None,
        own: ChargerSettings | None = None,
        **faults: Any,
    ) -> None:
        settings = station or StationSettings(
            protocol=protocol,
            phases=1,
            power_kw_max=7.4,
            discharge_kw_max=7.4,
            car=CarSettings(charge_kw_max=7.4, discharge_kw_max=7.4),
            meter_interval_s=10,
            negative_limit="discharge" if protocol == "1.6" else "reject",
        )
        self.now_us = START_UNIX_US
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.events: list[ChargerEvent] = []
        self.refused_purpose = ""
        self.strips_power = False
        self.station = virtual_station(settings, self.now_us)
        for name, value in faults.items():
            setattr(self.station.faults, name, value)
        own = own or ChargerSettings(
            discharge=True, negative_limit=protocol == "1.6", power_kw_max=7.4, phase_count=1
        )
        self.backend = Station(ChargerState("box"), own)
        self._version = VERSIONS[protocol]
        self._link_count = 0
        self.join()

    def ask(self, power_kw: float, lease_s: int = 600) -> Link:
        """Ask for a power."""
        self._take(self.backend.set_power(SetPower(1, power_kw, lease_s, "a test"), self.now_us))
        return self

    def follow(self, power_kw: float, lease_s: int = 30) -> Link:
        """Ask for a power because the meter moved."""
        command = SetPower(1, power_kw, lease_s, "follows the house", following=True)
        self._take(self.backend.set_power(command, self.now_us))
        return self

    def join(self) -> Link:
        """A new link."""
        self._link_count += 1
        prefix = f"p{self._link_count}-"
        step = self.backend.connect(self._version, 1, "peer", self.now_us, prefix=prefix)
        frames = self.station.connect(self.now_us)
        self._take(step)
        self._deliver(frames)
        return self

    def cut(self) -> Link:
        """The link breaks, and nobody mends it."""
        self.station.disconnect(self.now_us)
        self._take(self.backend.disconnect("cut", self.now_us))
        return self

    def run(self, seconds: float, step_s: float = STEP_S) -> Link:
        """Let time pass at both ends."""
        for _ in range(round(seconds / step_s)):
            self.now_us += round(step_s * 1e6)
            self._deliver(self.station.tick(self.now_us))
            self._take(self.backend.tick(self.now_us))
        return self

    def judged(self) -> list[SetpointJudged]:
        """The verdicts so far."""
        return [event for event in self.events if isinstance(event, SetpointJudged)]

    def told(self) -> int:
        """How often the station was told a power."""
        return sum(
            action in {"SetChargingProfile", "UpdateDynamicSchedule"} for action, _ in self.calls
        )

    def profiles(self) -> list[dict[str, Any]]:
        """The profiles that were sent."""
        return [
            payload.get("chargingProfile") or payload["csChargingProfiles"]
            for action, payload in self.calls
            if action == "SetChargingProfile"
        ]

    def _take(self, step: Step) -> None:
        assert step.fault is None
        self.events += step.events
        for frame in step.frames:
            text = frame.decode()
            message = json.loads(text)
            if message[0] == 2:
                self.calls.append((message[2], message[3]))
                if self._refuses(message[3]):
                    answer = json.dumps([3, message[1], {"status": "Rejected"}])
                    self._take(self.backend.receive(answer, self.now_us))
                    continue
            self._deliver(self.station.receive(text, self.now_us))

    def _deliver(self, frames: Iterable[str]) -> None:
        for frame in frames:
            text = _without_power(frame) if self.strips_power else frame
            self._take(self.backend.receive(text, self.now_us))

    def _refuses(self, payload: dict[str, Any]) -> bool:
        profile = payload.get("chargingProfile") or payload.get("csChargingProfiles") or {}
        return bool(profile) and profile["chargingProfilePurpose"] == self.refused_purpose


def _without_power(frame: str) -> str:
    message = json.loads(frame)
    if message[0] == 2:
        for value in message[3].get("meterValue", []):
            value["sampledValue"] = [
                sample
                for sample in value["sampledValue"]
                if not sample.get("measurand", "").startswith(("Power.", "Current."))
            ] or value["sampledValue"][:1]
    return json.dumps(message)
