"""Periodic monitors of 2.x, and the periodic event streams of 2.1 that they feed (message type 6).

Other kinds of monitors are answered with UnsupportedMonitorType.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from parkwatt.io.sim.device_model import DeviceModel, Variable
from parkwatt.io.sim.frames import Payload, send_text
from parkwatt.io.sim.meter import Sample
from parkwatt.io.sim.outbox import Answered, Outbox
from parkwatt.io.sim.profiles import SECOND_US

VALUES_MAX = 60


class Monitored(Protocol):
    """What monitors need of their station."""

    now_us: int
    model: DeviceModel
    outbox: Outbox

    def sample(self) -> Sample:
        """What the meter shows."""

    def clock(self) -> str:
        """The station's time."""

    def call(self, action: str, payload: Payload, answered: Answered | None = None) -> None:
        """Queue a request."""


@dataclass(slots=True)
class Monitor:
    """One periodic monitor; with ``stream`` its values go out as a stream while that is open."""

    id: int
    variable: Variable
    interval_s: float
    severity: int
    due_us: int
    stream: dict[str, int] | None = None
    is_open: bool = False
    collected: list[tuple[int, str]] = field(default_factory=list)
    sent_us: int = 0


class Monitors:
    """The monitors of one station."""

    def __init__(self) -> None:
        self._monitors: dict[int, Monitor] = {}
        self._next_id = 1
        self._event_id = 0

    def set(self, station: Monitored, asked: Payload) -> Payload:
        """One setMonitoringData element; returns its result."""
        result = {k: asked[k] for k in ("type", "severity", "component", "variable")}
        if asked["type"] != "Periodic":
            return {**result, "status": "UnsupportedMonitorType"}
        variable = station.model.find(asked)
        if isinstance(variable, str):
            return {**result, "status": variable}
        if asked["value"] <= 0:
            return {**result, "status": "Rejected"}
        monitor_id = asked.get("id") or self._next_id
        self._next_id = max(self._next_id, monitor_id) + 1
        due_us = station.now_us + round(asked["value"] * SECOND_US)
        monitor = Monitor(monitor_id, variable, asked["value"], asked["severity"], due_us)
        self._monitors[monitor_id] = monitor
        stream = asked.get("periodicEventStream")
        if stream is not None:
            monitor.stream = {
                "interval": stream.get("interval", 60),
                "values": stream.get("values", VALUES_MAX),
            }
            self._open(station, monitor)
        return {**result, "id": monitor_id, "status": "Accepted"}

    def clear(self, station: Monitored, monitor_id: int) -> bool:
        """Remove a monitor and close its stream; whether there was one."""
        monitor = self._monitors.pop(monitor_id, None)
        if monitor is not None and monitor.is_open:
            station.call("ClosePeriodicEventStream", {"id": monitor.id})
        return monitor is not None

    def adjust(self, stream_id: int, parameters: dict[str, int]) -> bool:
        """Change how often a stream sends; whether it is there."""
        monitor = self._monitors.get(stream_id)
        if monitor is None or monitor.stream is None:
            return False
        monitor.stream |= parameters
        return True

    def streams(self) -> list[Payload]:
        """The open streams, as GetPeriodicEventStream tells them."""
        return [
            {"id": m.id, "params": dict(m.stream), "variableMonitoringId": m.id}
            for m in self._monitors.values()
            if m.stream is not None and m.is_open
        ]

    def next_due_us(self) -> int | None:
        """When a monitor next has to look."""
        return min((monitor.due_us for monitor in self._monitors.values()), default=None)

    def due(self, station: Monitored) -> list[str]:
        """Look at what is due; events are queued, frames of streams are returned."""
        frames: list[str] = []
        for monitor in self._monitors.values():
            if station.now_us < monitor.due_us:
                continue
            monitor.due_us = station.now_us + round(monitor.interval_s * SECOND_US)
            value = _value(station, monitor.variable)
            if monitor.stream is None:
                self._event(station, monitor, value)
            elif monitor.is_open:
                monitor.collected.append((station.now_us, value))
                frames += _stream_frames(station, monitor)
        return frames

    def _event(self, station: Monitored, monitor: Monitor, value: str) -> None:
        self._event_id += 1
        event: dict[str, Any] = {
            "eventId": self._event_id,
            "timestamp": station.clock(),
            "trigger": "Periodic",
            "actualValue": value,
            "eventNotificationType": "CustomMonitor",
            "variableMonitoringId": monitor.id,
            **monitor.variable.names(),
        }
        station.call(
            "NotifyEvent",
            {"generatedAt": station.clock(), "seqNo": 0, "tbc": False, "eventData": [event]},
        )

    def _open(self, station: Monitored, monitor: Monitor) -> None:
        data = {"id": monitor.id, "params": monitor.stream, "variableMonitoringId": monitor.id}

        def answered(answer: Payload | None) -> None:
            monitor.is_open = answer is not None and answer["status"] == "Accepted"
            monitor.sent_us = station.now_us

        station.call("OpenPeriodicEventStream", {"constantStreamData": data}, answered)


def _value(station: Monitored, variable: Variable) -> str:
    if variable.name == "Power" and variable.component == "EVSE":
        return f"{station.sample().power_w:.1f}"
    return variable.value


def _stream_frames(station: Monitored, monitor: Monitor) -> list[str]:
    parameters = monitor.stream or {}
    is_full = len(monitor.collected) >= parameters.get("values", VALUES_MAX)
    waited_us = station.now_us - monitor.sent_us
    if not is_full and waited_us < parameters.get("interval", 0) * SECOND_US:
        return []
    begun_us = monitor.collected[0][0]
    skew_us = station.now_us - begun_us
    base = station.clock()
    data = [
        {"t": (at_us - begun_us - skew_us) / SECOND_US, "v": value}
        for at_us, value in monitor.collected
    ]
    monitor.collected = []
    monitor.sent_us = station.now_us
    payload = {"id": monitor.id, "pending": 0, "basetime": base, "data": data}
    return [send_text(station.outbox.new_id(), "NotifyPeriodicEventStream", payload)]
