"""The VEN: reads programmes and events again and again, tells what changed, sends reports, and knows when it lost the server.

One VEN with one resource stands for the whole pool. What holds is decided from whole lists that were read over the
authenticated link; hints only make that happen sooner.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.grid.event import GridEvent, Held, in_force
from parkwatt.domain.grid.report import ReportDue, due
from parkwatt.io.openadr.durations import iso_duration, iso_time
from parkwatt.io.openadr.hints import Webhook, follow_mqtt
from parkwatt.io.openadr.known import Change, Known, take
from parkwatt.io.openadr.settings import OpenadrSettings
from parkwatt.io.openadr.vtn import Vtn, VtnError

_US: Final = 1_000_000
_BACK_OFF_S_MAX: Final = 60.0
_CONFLICT: Final = 409
_REPORT_TRIES_MAX: Final = 200
_SENT_MAX: Final = 20_000
_AGGREGATED: Final = "AGGREGATED_REPORT"

OnChange = Callable[[list[Change]], None]
# What a report asks for, of one span: None: unknown.
Measured = Callable[[str, int, int], float | None]


class Ven:
    """``state_path``: where what is known is kept over a restart. ``clock``: µs since 1970. ``measured``: a quantity over a
    span.

    ``on_change``: told what became of events, in the loop.
    """

    def __init__(
        self,
        settings: OpenadrSettings,
        state_path: Path,
        clock: Callable[[], int],
        measured: Measured,
        on_change: OnChange,
    ) -> None:
        self.settings = settings
        self._path, self._clock, self._measured = state_path, clock, measured
        self._on_change = on_change
        self._vtn = Vtn(settings, lambda: clock() / _US)
        self._known = _load(state_path)
        self._answered_unix_us: int | None = None
        self._trouble = ""
        self._wake = asyncio.Event()
        self._programs: dict[str, str] = {}
        self._failed: dict[str, int] = {}
        self._registered = False
        self._jitter = random.Random(settings.ven_name)  # noqa: S311 spreads tries, hides nothing

    # What is known.

    @property
    def events(self) -> Iterable[GridEvent]:
        """The events that hold or will."""
        return self._known.events.values()

    @property
    def trouble(self) -> str:
        """Why the server cannot be read, in words; empty where it can."""
        return self._trouble

    def is_lost(self) -> bool:
        """Whether the server has been silent for so long that what it asked holds no more; also before its first answer."""
        if self._answered_unix_us is None:
            return True
        return self._clock() - self._answered_unix_us > self.settings.lost_s * _US

    def in_force(self) -> dict[str, Held]:
        """What holds now, by kind. Of a server that was lost only what was subscribed."""
        held = in_force(self.events, self._clock())
        if not self.is_lost():
            return held
        return {kind: one for kind, one in held.items() if kind.endswith("_subscription_kw")}

    # Running.

    def duties(self) -> Iterable[Coroutine[Any, Any, object]]:
        """What is to be done while it runs; each goes on for ever."""
        hooks = []
        if self.settings.webhook_listen is not None:
            hook = Webhook(*self.settings.webhook_listen, self._wake.set)
            hooks.append(hook.run())
            return (self._poll(hook), self._report(), *hooks, *self._mqtt())
        return (self._poll(None), self._report(), *self._mqtt())

    async def close(self) -> None:
        """Let go of the server."""
        await self._vtn.close()

    async def read_once(self) -> list[Change]:
        """Read programmes and events now. Raises VtnError."""
        listed = await self._vtn.all_of("/programs")
        self._programs = {
            str(one["id"]): str(one.get("programName", ""))
            for one in listed
            if isinstance(one, Mapping) and "id" in one
        }
        raw = await self._vtn.all_of("/events")
        now_unix_us = self._clock()
        self._known, changes = take(self._known, raw, self._programs, self.settings, now_unix_us)
        self._answered_unix_us, self._trouble = now_unix_us, ""
        if changes:
            _save(self._path, self._known)
        return changes

    async def _poll(self, hook: Webhook | None) -> None:
        wait_s = 1.0
        log = structlog.get_logger()
        while True:
            try:
                if not self._registered:
                    await self._register(hook)
                changes = await self.read_once()
                wait_s = 1.0
                pause_s = self.settings.poll_s
                if changes:
                    self._on_change(changes)
            except (VtnError, OSError) as error:
                if not self._trouble:
                    log.warning("the operator's server cannot be read", reason=str(error))
                self._trouble = str(error)
                asked_s = error.retry_s if isinstance(error, VtnError) else 0.0
                pause_s = max(asked_s, wait_s * (0.5 + self._jitter.random()))
                wait_s = min(2.0 * wait_s, _BACK_OFF_S_MAX, self.settings.poll_s * 2.0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause_s)
            self._wake.clear()

    async def _register(self, hook: Webhook | None) -> None:
        """Be known to the server as one VEN with one resource; a server that does not let us is used all the same."""
        settings = self.settings
        try:
            ven_id = await self._made(
                "/vens", "venName", settings.ven_name, {"objectType": "VEN_VEN_REQUEST"}
            )
            await self._made(
                "/resources",
                "resourceName",
                settings.resource_name,
                {"objectType": "VEN_RESOURCE_REQUEST", "venID": ven_id},
                venID=ven_id,
            )
            if hook is not None:
                await self._subscribe(hook)
        except VtnError as error:
            if not error.status or error.status == 401 or error.status >= 500:
                raise
            structlog.get_logger().warning(
                "the operator's server did not register us", reason=str(error)
            )
        self._registered = True

    async def _made(
        self, path: str, key: str, name: str, body: Mapping[str, Any], **query: str
    ) -> str:
        """The id of the object of this name, made where there is none."""
        for one in await self._vtn.all_of(path, **query):
            if isinstance(one, Mapping) and one.get(key) == name:
                return str(one.get("id", ""))
        try:
            made = await self._vtn.send("POST", path, {key: name, **body})
        except VtnError as error:
            if error.status != _CONFLICT:
                raise
            # Somebody made it meanwhile, or it may not be listed.
            return ""
        return str(made.get("id", "")) if isinstance(made, Mapping) else ""

    async def _subscribe(self, hook: Webhook) -> None:
        """Ask for calls when events change; what was asked for before a restart bears another token."""
        for one in await self._vtn.all_of("/subscriptions", clientName=self.settings.ven_name):
            if isinstance(one, Mapping) and one.get("clientName") == self.settings.ven_name:
                await self._vtn.delete(f"/subscriptions/{one.get('id')}")
        operations = {
            "objects": ["EVENT", "PROGRAM"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "callbackUrl": self.settings.webhook_url,
            "bearerToken": hook.token,
        }
        body = {"clientName": self.settings.ven_name, "objectOperations": [operations]}
        await self._vtn.send("POST", "/subscriptions", body)

    def _mqtt(self) -> Iterable[Coroutine[Any, Any, object]]:
        return (self._follow_broker(),) if self.settings.mqtt else ()

    async def _follow_broker(self) -> None:
        """Listen to the broker that the server names."""
        while True:
            try:
                named = await self._vtn.get("/notifiers")
                broker = named.get("MQTT") if isinstance(named, Mapping) else None
                uris = broker.get("URIS") if isinstance(broker, Mapping) else None
                topics = await self._vtn.get("/notifiers/mqtt/topics/events")
                wanted = _topics(topics)
            except VtnError:
                uris, wanted = None, []
            if isinstance(uris, list) and uris and wanted:
                await follow_mqtt(str(uris[0]), wanted, None, self._wake.set)
            await asyncio.sleep(self.settings.poll_s)

    # Reports.

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(min(self.settings.report_s, 10.0))
            with suppress(ParkwattError):
                await self.send_reports()

    async def send_reports(self) -> int:
        """Send the reports that are due and were not sent; returns how many. Raises VtnError where the server is not there."""
        now_unix_us, count = self._clock(), 0
        for event_id, wanted in self._known.reports.items():
            event = self._known.events.get(event_id)
            if event is None:
                continue
            for one in wanted:
                for report in due(event, one, now_unix_us, self.settings.report_s):
                    count += await self._send_report(event, report)
        if count:
            _save(self._path, self._known)
        return count

    async def _send_report(self, event: GridEvent, report: ReportDue) -> int:
        name = f"{event.event_id}-{report.wanted.name}-{report.number}-{report.spans_unix_us[0][0] // _US}"
        if name in self._known.sent or self._failed.get(name, 0) >= _REPORT_TRIES_MAX:
            return 0
        body = _report_body(event, report, name, self.settings.ven_name, self._measured)
        if body is None:
            return 0
        try:
            await self._vtn.send("POST", "/reports", body)
        except VtnError as error:
            if error.status == _CONFLICT:
                self._known.sent[name] = True
                return 0
            if 400 <= error.status < 500 and error.status not in (401, 408, 429):
                # It will not be taken however often it is sent.
                self._failed[name] = _REPORT_TRIES_MAX
                structlog.get_logger().warning(
                    "a report was refused", report=name, reason=str(error)
                )
                return 0
            self._failed[name] = self._failed.get(name, 0) + 1
            raise
        self._known.sent[name] = True
        for old in list(self._known.sent)[: max(0, len(self._known.sent) - _SENT_MAX)]:
            del self._known.sent[old]
        return 1


def _report_body(
    event: GridEvent, report: ReportDue, name: str, client: str, measured: Measured
) -> dict[str, Any] | None:
    """A report as it is sent; None where nothing of it is known."""
    intervals = []
    for number, (begin, end) in enumerate(report.spans_unix_us):
        value = measured(report.wanted.quantity, begin, end)
        payloads: list[dict[str, Any]] = [{"type": "DATA_QUALITY", "values": ["MISSING"]}]
        if value is not None:
            shown: object = round(value, 3)
            if report.wanted.quantity == "operating":
                shown = "NORMAL" if value else "IDLE_NORMAL"
            payloads = [{"type": report.wanted.name, "values": [shown]}]
        period = {"start": iso_time(begin), "duration": iso_duration((end - begin) / _US)}
        intervals.append({"id": number, "intervalPeriod": period, "payloads": payloads})
    units = _units(report.wanted.quantity)
    descriptor = {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": report.wanted.name}
    if units:
        descriptor["units"] = units
    return {
        "eventID": event.event_id,
        "clientName": client,
        "reportName": name,
        "payloadDescriptors": [descriptor],
        "resources": [{"resourceName": _AGGREGATED, "intervals": intervals}],
    }


def _units(quantity: str) -> str:
    if quantity.endswith("_kwh"):
        return "KWH"
    return "KW" if quantity.endswith(("_kw", "_kw_max")) else ""


def _topics(answer: object) -> list[str]:
    listed = answer.get("topics") if isinstance(answer, Mapping) else None
    values = listed.values() if isinstance(listed, Mapping) else listed or ()
    return sorted({str(one) for one in values if isinstance(one, str)})


def _load(path: Path) -> Known:
    """What was known before a restart; nothing where that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Known)
    except (OSError, msgspec.MsgspecError):
        return Known()


def _save(path: Path, known: Known) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(msgspec.json.encode(known))
    beside.replace(path)
