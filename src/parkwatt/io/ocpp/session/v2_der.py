"""Grid-code functions and event streams of 2.1 (blocks R and N): kept as they come, they change no state."""

from __future__ import annotations

from typing import Any

from parkwatt.io.ocpp.session.inbound import Handler, Inbound
from parkwatt.io.ocpp.session.v2_message import keep, keeper


def der_alarm(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyDERAlarm: the grid left its bounds; critical until the alarm ends."""
    keep(inbound, "NotifyDERAlarm", message, critical=message.alarmEnded is not True)
    return {}


def open_stream(inbound: Inbound, message: Any) -> dict[str, Any]:
    """OpenPeriodicEventStream: a monitor of ours, or of the station's maker, begins to stream; it is let."""
    keep(inbound, "OpenPeriodicEventStream", message)
    return {"status": "Accepted"}


HANDLERS: dict[str, Handler] = {
    "ReportDERControl": keeper("ReportDERControl"),
    "NotifyDERAlarm": der_alarm,
    "NotifyDERStartStop": keeper("NotifyDERStartStop"),
    "OpenPeriodicEventStream": open_stream,
    "ClosePeriodicEventStream": keeper("ClosePeriodicEventStream"),
}
# What comes as message type 6 and gets no reply; what a handler returns here is dropped.
SEND_HANDLERS: dict[str, Handler] = {
    "NotifyPeriodicEventStream": keeper("NotifyPeriodicEventStream"),
}
