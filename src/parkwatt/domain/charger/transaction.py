"""One transaction: what it moved, what was heard of it, and what was heard twice."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import msgspec

from parkwatt.domain.charger.event import ChargingState, TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.register import RegisterEnergy

# Runs of sequence numbers that are kept apart; a station that leaves more holes than that has no usable count.
_RUNS_MAX = 64
# Reports that are remembered one by one: while the transaction is open, and after it ended. Ten thousand chargers keep them.
_KEYS_MAX = 32
_KEYS_ENDED_MAX = 4
# What was measured this long before the beginning, by the charger's own clock, is of the time before.
_BEFORE_US = 60_000_000
# Longer than any of the standard: what a charger makes up takes no more memory.
_TRIGGER_CHARACTERS_MAX = 40
_ENDLESS = 1 << 62


class SequenceNumbers(msgspec.Struct, omit_defaults=True, gc=False):
    """The sequence numbers seen, as sorted runs [first, last] that do not touch: a day of reports is one run."""

    runs: list[tuple[int, int]] = msgspec.field(default_factory=list)

    @property
    def last(self) -> int:
        """The greatest number seen; -1 before the first."""
        return self.runs[-1][1] if self.runs else -1

    def holds(self, number: int) -> bool:
        """Whether the number was seen."""
        index = bisect_right(self.runs, (number, _ENDLESS)) - 1
        return index >= 0 and number <= self.runs[index][1]

    def add(self, number: int) -> None:
        """Note a number as seen."""
        runs = self.runs
        if runs and runs[-1][1] + 1 == number:
            runs[-1] = (runs[-1][0], number)
            return
        if self.holds(number):
            return
        joined = sorted([*runs, (number, number)])
        merged = [joined[0]]
        for first, last in joined[1:]:
            if first == merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        self.runs = merged[-_RUNS_MAX:]

    @property
    def missing_count(self) -> int:
        """How many numbers are missing between the first and the last seen."""
        return sum(
            later[0] - earlier[1] - 1
            for earlier, later in zip(self.runs, self.runs[1:], strict=False)
        )


class Transaction(msgspec.Struct, omit_defaults=True, gc=False):
    """The fold of a transaction's reports.

    ``started_unix_us``, ``ended_unix_us``: the charger's clock where it is usable, else when it was received;
    ``heard_start``: False where its beginning was not reported (yet); ``start_measured``: whether the beginning is by the
    charger's clock. ``imported_kwh``, ``exported_kwh``: by the registers, else by the sum of interval values, None where the
    charger reports neither. ``keys``: the newest reports, to know them again; ``numbers_reused``: the count began anew or
    stands still, so that a number says nothing.
    """

    transaction_id: str
    evse_id: int
    connector_id: int | None = None
    token: str = ""
    started_unix_us: int = 0
    heard_start: bool = False
    start_measured: bool = False
    ended_unix_us: int | None = None
    end_reason: str = ""
    charging_state: ChargingState = "unknown"
    newest_unix_us: int = 0
    seen: SequenceNumbers = msgspec.field(default_factory=SequenceNumbers)
    numbers_reused: bool = False
    keys: list[tuple[int, int, str]] = msgspec.field(default_factory=list)
    import_register: RegisterEnergy = msgspec.field(default_factory=RegisterEnergy)
    export_register: RegisterEnergy = msgspec.field(default_factory=RegisterEnergy)
    import_intervals_kwh: float | None = None
    export_intervals_kwh: float | None = None
    intervals_unix_us: list[int] = msgspec.field(default_factory=list)
    start_register_kwh: float | None = None

    @property
    def open(self) -> bool:
        """Whether its end was not reported yet."""
        return self.ended_unix_us is None

    @property
    def imported_kwh(self) -> float | None:
        """Energy into the car so far."""
        by_register_kwh = self.import_register.energy_kwh
        return self.import_intervals_kwh if by_register_kwh is None else by_register_kwh

    @property
    def exported_kwh(self) -> float | None:
        """Energy out of the car so far."""
        by_register_kwh = self.export_register.energy_kwh
        return self.export_intervals_kwh if by_register_kwh is None else by_register_kwh

    def repeats(self, report: TransactionReported) -> bool:
        """Whether this very report was heard before.

        It was, if one of the newest has the same number, time and occasion, or if its number was heard and its time is
        past. The latter says nothing of a station that sends 0 in every report or counts anew, nor where the register has moved
        on: then the clock was set back. Without a time and a number that counts, nothing but the end is known again.
        """
        if report.phase == "ended" and not self.open:
            return True
        if report.seq_no is not None and report.seq_no > self.seen.last:
            return False  # nearly every report
        if report.measured_unix_us is None and (
            report.seq_no is None or (report.seq_no == 0 and report.phase == "updated")
        ):
            return False
        if _key(report) in self.keys:
            return True
        if report.seq_no is None or report.measured_unix_us is None or self.numbers_reused:
            return False
        return (
            report.measured_unix_us < self.newest_unix_us
            and self.seen.holds(report.seq_no)
            and not self._moves_on(report)
        )

    def apply(self, report: TransactionReported, now_unix_us: int) -> None:
        """Take in a report that is no repetition."""
        at_unix_us = now_unix_us if report.measured_unix_us is None else report.measured_unix_us
        is_newest = at_unix_us >= self.newest_unix_us
        if report.seq_no is not None:
            is_newest = self._note_number(report.seq_no, is_newest, report.late)
        self.keys.append(_key(report))
        if len(self.keys) > _KEYS_MAX:
            del self.keys[0]
        if report.phase == "started" or not self.start_measured:
            self._note_start(report, at_unix_us)
        if report.token and not self.token:
            self.token = report.token
        if report.connector_id is not None:
            self.connector_id = report.connector_id
        if report.evse_id:
            self.evse_id = report.evse_id
        if is_newest:
            self.newest_unix_us = at_unix_us
            if report.charging_state != "unknown" and self.open:
                self.charging_state = report.charging_state
        for reading in report.readings:
            self.add_reading(reading, at_unix_us)
        if report.phase == "ended":
            self.ended_unix_us = at_unix_us
            self._end_registers(report, at_unix_us)
            self.end_reason = report.reason
            self.charging_state = "idle"
            del self.keys[:-_KEYS_ENDED_MAX]

    def add_reading(self, reading: MeterReading, at_unix_us: int) -> None:
        """Take in a meter reading; ``at_unix_us`` stands in where it has no time of its own."""
        measured_unix_us = reading.measured_unix_us
        if measured_unix_us is None:
            measured_unix_us = at_unix_us
        import_kwh, export_kwh = reading.energy_import_kwh, reading.energy_export_kwh
        if import_kwh is not None:
            if self.start_register_kwh is None and reading.moment == "begin":
                self.start_register_kwh = import_kwh
            self.import_register.add(import_kwh, measured_unix_us)
        if export_kwh is not None:
            self.export_register.add(export_kwh, measured_unix_us)
        if (
            reading.energy_import_interval_kwh is not None
            or reading.energy_export_interval_kwh is not None
        ):
            self._add_intervals(reading)

    def follows(self, reading: MeterReading) -> bool:
        """Whether a reading that names no transaction can be of this one: not of the time before, from a backlog."""
        return (
            reading.measured_unix_us is None
            or not self.start_measured
            or reading.measured_unix_us >= self.started_unix_us - _BEFORE_US
            or self._is_beyond(reading)
        )

    def _note_number(self, seq_no: int, is_newest: bool, late: bool) -> bool:
        """Note the number; whether the report is the newest, which a greater number says as well as a later time."""
        runs = self.seen.runs
        if not runs or seq_no > runs[-1][1]:
            is_newest = is_newest or not late
        elif is_newest and not self.numbers_reused:
            self.numbers_reused = self.seen.holds(seq_no)
        self.seen.add(seq_no)
        return is_newest

    def _note_start(self, report: TransactionReported, at_unix_us: int) -> None:
        if report.phase == "started":
            self.heard_start = True
            if report.measured_unix_us is not None:
                self.start_measured = True
                self.started_unix_us = at_unix_us
                return
        if not self.started_unix_us or (
            not self.start_measured and at_unix_us < self.started_unix_us
        ):
            self.started_unix_us = at_unix_us

    def _end_registers(self, report: TransactionReported, at_unix_us: int) -> None:
        """Let the registers end where the report says they stood; one may tell them rounded and exact."""
        ends = [reading for reading in report.readings if reading.moment == "end"]
        imported = [r.energy_import_kwh for r in ends if r.energy_import_kwh is not None]
        exported = [r.energy_export_kwh for r in ends if r.energy_export_kwh is not None]
        if imported:
            self.import_register.end(max(imported), at_unix_us)
        if exported:
            self.export_register.end(max(exported), at_unix_us)

    def _add_intervals(self, reading: MeterReading) -> None:
        """Add energies of an interval once, as far as its time tells it from the newest others."""
        measured_unix_us = reading.measured_unix_us
        if measured_unix_us is not None:
            if measured_unix_us in self.intervals_unix_us:
                return
            self.intervals_unix_us.append(measured_unix_us)
            del self.intervals_unix_us[:-_KEYS_MAX]
        if reading.energy_import_interval_kwh is not None:
            before_kwh = self.import_intervals_kwh or 0.0
            self.import_intervals_kwh = before_kwh + reading.energy_import_interval_kwh
        if reading.energy_export_interval_kwh is not None:
            before_kwh = self.export_intervals_kwh or 0.0
            self.export_intervals_kwh = before_kwh + reading.energy_export_interval_kwh

    def _moves_on(self, report: TransactionReported) -> bool:
        return any(self._is_beyond(reading) for reading in report.readings)

    def _is_beyond(self, reading: MeterReading) -> bool:
        """Whether a register shows more than it ever did, so that the reading is new whatever its time says."""
        return _is_more(reading.energy_import_kwh, self.import_register.last_kwh) or _is_more(
            reading.energy_export_kwh, self.export_register.last_kwh
        )


def _is_more(register_kwh: float | None, last_kwh: float | None) -> bool:
    return register_kwh is not None and last_kwh is not None and register_kwh > last_kwh


def _key(report: TransactionReported) -> tuple[int, int, str]:
    """What tells a report from all others: number, time and, for stations whose number or clock stands still, occasion."""
    seq_no = -1 if report.seq_no is None else report.seq_no
    measured_unix_us = -1 if report.measured_unix_us is None else report.measured_unix_us
    if report.phase != "updated":
        return (seq_no, measured_unix_us, report.phase)
    return (
        seq_no,
        measured_unix_us,
        _occasion(report.trigger[:_TRIGGER_CHARACTERS_MAX], report.charging_state),
    )


@lru_cache(maxsize=256)
def _occasion(trigger: str, charging_state: str) -> str:
    """Why a report was sent and what it says: one text for all that say the same, since many are remembered."""
    return f"{trigger} {charging_state}"
