"""A back end on a real journal, chargers that talk to it in frames, and a clock that moves only when told."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from pathlib import Path
from typing import Any

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.journal import Entry, JournalClosed
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from parkwatt.io.store.sqlite_journal import SqliteJournal

START_UNIX_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
STEP_WH = 100
SETTINGS = ChargerSettings(discharge=True, power_kw_max=11.0, meter_interval_s=60)


class Site:
    """The back end's process: it can crash, and start again on the same journal."""

    def __init__(
        self, directory: Path, *, entries_a_snapshot: int = 1 << 40, **journal: Any
    ) -> None:
        self.path = directory / "journal.sqlite"
        self.now_unix_us = START_UNIX_US
        self.entries_a_snapshot = entries_a_snapshot
        self.alarms: list[str | None] = []
        self.faults: list[BaseException] = []
        asyncio.get_running_loop().set_exception_handler(self._failed)
        self._journal = journal
        self.start()

    def start(self) -> None:
        """Open the journal, fold it."""
        loop = asyncio.get_running_loop()

        def alarmed(alarm: str | None) -> None:
            loop.call_soon_threadsafe(self._alarmed, alarm)

        self.journal = SqliteJournal(self.path, on_alarm=alarmed, **self._journal)
        self.journal.post_with(loop.call_soon_threadsafe)
        self.backend = Backend(
            journal=self.journal,
            settings_of=lambda _: SETTINGS,
            clock=lambda: self.now_unix_us,
            entries_a_snapshot=self.entries_a_snapshot,
        )
        self.restored = self.backend.restore()

    def _alarmed(self, alarm: str | None) -> None:
        self.alarms.append(alarm)
        self.backend.alarmed(alarm)

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what went wrong in callbacks, but for those of a process that is gone."""
        fault = context.get("exception")
        if fault is not None and not isinstance(fault, JournalClosed):
            self.faults.append(fault)

    def crash(self) -> None:
        """Gone, with all that was not handed to the journal; the chargers have to be told by `Charger.cut_off`."""
        self.journal.close()

    async def stop(self) -> None:
        """As a stop by hand."""
        await self.backend.close()
        self.journal.close()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now_unix_us += int(seconds * SECOND_US)
        self.backend.sweep()

    async def settle(self) -> None:
        """Wait until all that happened is durable and answered."""
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0)
                if self.backend.is_settled:
                    return
                await asyncio.sleep(0.001)

    def entries(self, charger_id: str | None = None) -> list[Entry]:
        """The journal."""
        return list(self.journal.read(subject=charger_id))

    def events(self, charger_id: str) -> list[ChargerEvent]:
        """A charger's events in the journal."""
        return [
            events.decode(entry.payload)
            for entry in self.entries(charger_id)
            if entry.payload is not None
        ]


class Charger:
    """A charger as the back end's link to it: it sends what is in its queue one by one, until it is acknowledged.

    ``obeys``: holds the power it is told; ``silent``: leaves calls unanswered.
    """

    def __init__(
        self, site: Site, charger_id: str, version: Version = Version.V201, *, obeys: bool = True
    ) -> None:
        self.site = site
        self.charger_id = charger_id
        self.version = version
        self.obeys = obeys
        self.silent = False
        self.outlet: _Outlet | None = None
        self.frames: list[bytes] = []
        self.codes: list[int] = []
        self.acknowledged: list[str] = []
        self.queue: deque[tuple[str, str, dict[str, Any]]] = deque()
        self.replies: deque[str] = deque()
        self.power_kw = 7.0
        self.register_wh = 1000
        self.transaction_id = ""
        self.count = 0
        self._seq_no = 0

    # Links.

    def connect(self, *, boot: bool = True) -> None:
        """A new link."""
        self.replies.clear()
        self.outlet = _Outlet(self)
        self.site.backend.opened(self.charger_id, self.outlet, self.version, 1, "10.0.0.2")
        if boot:
            self.say(self.boot())

    def drop(self) -> None:
        """The link breaks; what was on its way is lost."""
        outlet, self.outlet = self.outlet, None
        if outlet is not None:
            self.site.backend.closed(self.charger_id, outlet, "the line broke")

    def cut_off(self) -> None:
        """The back end is gone."""
        self.outlet = None

    def say(self, frame: str | bytes) -> None:
        """A frame over the link, whatever it holds."""
        if self.outlet is not None:
            self.site.backend.received(self.charger_id, self.outlet, frame)

    def speak(self) -> None:
        """Say what is next: an answer, or the oldest report that was not acknowledged, again or for the first time."""
        if self.replies:
            self.say(self.replies.popleft())
        elif self.queue:
            message_id, action, payload = self.queue[0]
            self.say(json.dumps([2, message_id, action, payload]))

    def got(self, frame: bytes) -> None:
        """A frame arrived."""
        self.frames.append(frame)
        message = json.loads(frame)
        if message[0] == 3 and self.queue and message[1] == self.queue[0][0]:
            self.acknowledged.append(message[1])
            self.queue.popleft()
        elif message[0] == 2 and not self.silent:
            self.replies.append(self._reply(*message[1:]))

    def _reply(self, message_id: str, action: str, payload: dict[str, Any]) -> str:
        if action != "SetChargingProfile":
            return json.dumps([4, message_id, "NotSupported", "", {}])
        profile = payload.get("chargingProfile") or payload.get("csChargingProfiles") or {}
        if self.obeys and profile.get("chargingProfilePurpose") == "TxProfile":
            schedule = profile["chargingSchedule"]
            table = schedule[0] if isinstance(schedule, list) else schedule
            period = table["chargingSchedulePeriod"][0]
            rate = period.get("setpoint", period.get("limit", 0.0))
            per_kw = 1000.0 if table["chargingRateUnit"] == "W" else 1000.0 / 690.0
            self.power_kw = rate / per_kw
        return json.dumps([3, message_id, {"status": "Accepted"}])

    # What it reports.

    def boot(self) -> str:
        """BootNotification."""
        self.count += 1
        if self.version.is_2:
            station = {"vendorName": "Maker", "model": "Box"}
            payload: dict[str, Any] = {"reason": "PowerUp", "chargingStation": station}
        else:
            payload = {"chargePointVendor": "Maker", "chargePointModel": "Box"}
        return json.dumps([2, f"boot-{self.count}", "BootNotification", payload])

    def begin(self) -> None:
        """Queue the report of a transaction that begins (2.x)."""
        self.count += 1
        self.transaction_id = f"{self.charger_id}-t{self.count}"
        self._seq_no = 0
        self._report("Started", "Authorized", "Transaction.Begin")

    def update(self) -> None:
        """Queue a report of it, with meter values."""
        self.register_wh += STEP_WH
        self._report("Updated", "MeterValuePeriodic", "Sample.Periodic")

    def end(self) -> None:
        """Queue the report of its end."""
        self._report("Ended", "EVDeparted", "Transaction.End")
        self.transaction_id = ""

    def _report(self, phase: str, trigger: str, context: str) -> None:
        self.count += 1
        sampled = [
            _sample(self.register_wh, "Energy.Active.Import.Register", "Wh", context),
            _sample(abs(self.power_kw) * 1000.0, _flow(self.power_kw), "W", context),
        ]
        timestamp = rfc3339(self.site.now_unix_us)
        payload = {
            "eventType": phase,
            "timestamp": timestamp,
            "triggerReason": trigger,
            "seqNo": self._seq_no,
            "transactionInfo": {
                "transactionId": self.transaction_id,
                "chargingState": "EVConnected" if phase == "Ended" else "Charging",
            },
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": timestamp, "sampledValue": sampled}],
        }
        self._seq_no += 1
        self.queue.append((f"{self.charger_id}-{self.count}", "TransactionEvent", payload))


def _flow(power_kw: float) -> str:
    return "Power.Active.Export" if power_kw < 0 else "Power.Active.Import"


def _sample(value: float, measurand: str, unit: str, context: str) -> dict[str, Any]:
    return {
        "value": value,
        "measurand": measurand,
        "context": context,
        "unitOfMeasure": {"unit": unit},
    }


class _Outlet:
    """One link, which delivers only while it is the charger's."""

    def __init__(self, charger: Charger) -> None:
        self._charger = charger

    def send(self, frame: bytes) -> None:
        if self._charger.outlet is self:
            self._charger.got(frame)

    def close(self, code: int, reason: str) -> None:
        assert reason
        self._charger.codes.append(code)
        if self._charger.outlet is self:
            self._charger.outlet = None
