"""Structured logs on standard error: one line an event, for a person (console) or a machine (json)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import structlog

from parkwatt.app.printable import printable
from parkwatt.domain.charger.event import (
    Booted,
    ChargerEvent,
    Connected,
    DeviationSeen,
    Disconnected,
    NoticeReceived,
    RungChanged,
    SetpointJudged,
    SetpointReleased,
    TransactionReported,
)
from parkwatt.domain.charger.rung import Rung

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up_logs(log_format: str, level: str) -> None:
    """Log from now on as ``log_format`` (console, json) from ``level`` up, what libraries log included."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # no values: tokens are among them
        )
    shared: list[structlog.typing.Processor] = [
        _printable,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=max(_LEVELS[level], logging.WARNING), force=True)


def _printable(
    _: object, _name: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A charger's words stay within their line, and move no cursor."""
    for key, value in entry.items():
        if isinstance(value, str):
            entry[key] = printable(value)
    return entry


def log_events(charger_id: str, events: Sequence[ChargerEvent], _now_unix_us: int) -> None:
    """Log what of a step a person would want to read."""
    log = structlog.get_logger()
    for event in events:
        kind = type(event)
        if kind is TransactionReported:
            _log_transaction(log, charger_id, event)
        elif kind in _SHOWN:
            fields = {name: _shown(getattr(event, name)) for name in _SHOWN[kind]}
            warn = kind in _WARNED or (kind is NoticeReceived and event.critical)  # type: ignore[union-attr]
            log.log(30 if warn else 20, _TITLES[kind], charger=charger_id, **fields)


def _shown(value: object) -> object:
    return f"L{int(value)}" if isinstance(value, Rung) else value


def _log_transaction(
    log: structlog.typing.FilteringBoundLogger, charger_id: str, event: ChargerEvent
) -> None:
    if isinstance(event, TransactionReported) and event.phase != "updated":
        log.info(
            f"transaction {event.phase}",
            charger=charger_id,
            transaction=event.transaction_id,
            evse=event.evse_id,
            reason=event.reason,
        )


_SHOWN: dict[type, tuple[str, ...]] = {
    Connected: ("protocol", "security_profile", "peer"),
    Disconnected: ("reason",),
    Booted: ("vendor", "model", "firmware_version", "accepted"),
    RungChanged: ("evse_id", "rung", "proven", "reason"),
    SetpointJudged: ("evse_id", "power_kw", "verdict", "measured_kw", "reason"),
    SetpointReleased: ("evse_id", "lapsed", "reason"),
    DeviationSeen: ("action", "field", "rule", "value"),
    NoticeReceived: ("action",),
}
_TITLES: dict[type, str] = {
    Connected: "charger connected",
    Disconnected: "charger gone",
    Booted: "charger booted",
    RungChanged: "rung changed",
    SetpointJudged: "set-point judged",
    SetpointReleased: "set-point ended",
    DeviationSeen: "charger breaks the standard",
    NoticeReceived: "charger tells",
}
_WARNED = {DeviationSeen}
