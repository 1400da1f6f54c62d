"""Grid-code functions and event streams of 2.1 (blocks R and N): kept as they come; an alarm of the grid is told besides."""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.event import GridAlarmTold
from parkwatt.io.ocpp.session.inbound import Handler, Inbound
from parkwatt.io.ocpp.session.v2_message import keep, keeper, told_unix_us


def der_alarm(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyDERAlarm: the grid left its bounds; critical until the alarm ends."""
    ended = message.alarmEnded is True
    keep(inbound, "NotifyDERAlarm", message, critical=not ended)
    measured_unix_us = told_unix_us(inbound, "NotifyDERAlarm", message.timestamp)
    late = measured_unix_us is not None and inbound.state.is_history(
        measured_unix_us, inbound.now_unix_us
    )
    control, fault = str(message.controlType), str(message.gridEventFault or "")
    inbound.emit(GridAlarmTold(control, fault, ended, measured_unix_us, late))
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
