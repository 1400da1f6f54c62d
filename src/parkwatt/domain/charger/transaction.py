"""One transaction: what it moved, what was heard of it, and what was heard twice."""

from __future__ import annotations

import msgspec

from parkwatt.domain.charger.event import ChargingState, TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.register import RegisterEnergy

# Runs of sequence numbers that are kept apart; a station that leaves more holes than that has no usable count.
_RUNS_MAX = 64
# Reports with the same count and time that differ otherwise are told apart for this many of the newest.
_KEYS_MAX = 64


class SequenceNumbers(msgspec.Struct, omit_defaults=True):
    """The sequence numbers seen, as sorted runs [first, last]: a day of reports is one run."""

    runs: list[tuple[int, int]] = msgspec.field(default_factory=list)

    def holds(self, number: int) -> bool:
        """Whether the number was seen."""
        return any(first <= number <= last for first, last in self.runs)

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


class Transaction(msgspec.Struct, omit_defaults=True):
    """The fold of a transaction's reports.

    ``started_unix_us``, ``ended_unix_us``: the charger's clock where it is usable, else when it was received; ``heard_start``: False
    where the first report that came was not its beginning. ``imported_kwh``, ``exported_kwh``: by the registers, else
    by the sum of interval values, None where the charger reports neither.
    """

    transaction_id: str
    evse_id: int
    connector_id: int | None = None
    token: str = ""
    started_unix_us: int = 0
    heard_start: bool = False
    ended_unix_us: int | None = None
    end_reason: str = ""
    charging_state: ChargingState = "unknown"
    newest_unix_us: int = 0
    seen: SequenceNumbers = msgspec.field(default_factory=SequenceNumbers)
    keys: list[tuple[int, int, str]] = msgspec.field(default_factory=list)
    import_register: RegisterEnergy = msgspec.field(default_factory=RegisterEnergy)
    export_register: RegisterEnergy = msgspec.field(default_factory=RegisterEnergy)
    import_intervals_kwh: float | None = None
    export_intervals_kwh: float | None = None
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

        By sequence number and time together: some stations send 0 in every report, others restart the count, and a clock may be
        set back in the middle.
        """
        if report.phase == "ended" and not self.open:
            return True
        key = _key(report)
        if key in self.keys:
            return True
        if report.seq_no is None or report.measured_unix_us is None:
            return False
        return self.seen.holds(report.seq_no) and report.measured_unix_us < self.newest_unix_us

    def apply(self, report: TransactionReported, now_unix_us: int) -> None:
        """Take in a report that is no repetition."""
        at_unix_us = now_unix_us if report.measured_unix_us is None else report.measured_unix_us
        if report.seq_no is not None:
            self.seen.add(report.seq_no)
        self.keys.append(_key(report))
        del self.keys[:-_KEYS_MAX]
        if report.phase == "started" or not self.started_unix_us:
            self.started_unix_us = at_unix_us
        if report.phase == "started":
            self.heard_start = True
        if report.token and not self.token:
            self.token = report.token
        if report.connector_id is not None:
            self.connector_id = report.connector_id
        if report.evse_id:
            self.evse_id = report.evse_id
        if at_unix_us >= self.newest_unix_us:
            self.newest_unix_us = at_unix_us
            if report.charging_state != "unknown":
                self.charging_state = report.charging_state
        for reading in report.readings:
            self.add_reading(reading, at_unix_us)
        if report.phase == "ended":
            self.ended_unix_us = at_unix_us
            self.end_reason = report.reason
            self.charging_state = "idle"

    def add_reading(self, reading: MeterReading, at_unix_us: int) -> None:
        """Take in a meter reading; ``at_unix_us`` stands in where it has no time of its own."""
        measured_unix_us = (
            at_unix_us if reading.measured_unix_us is None else reading.measured_unix_us
        )
        if reading.energy_import_kwh is not None:
            if self.start_register_kwh is None and reading.moment == "begin":
                self.start_register_kwh = reading.energy_import_kwh
            self.import_register.add(reading.energy_import_kwh, measured_unix_us)
        if reading.energy_export_kwh is not None:
            self.export_register.add(reading.energy_export_kwh, measured_unix_us)
        if reading.energy_import_interval_kwh is not None:
            before_kwh = self.import_intervals_kwh or 0.0
            self.import_intervals_kwh = before_kwh + reading.energy_import_interval_kwh
        if reading.energy_export_interval_kwh is not None:
            before_kwh = self.export_intervals_kwh or 0.0
            self.export_intervals_kwh = before_kwh + reading.energy_export_interval_kwh


def _key(report: TransactionReported) -> tuple[int, int, str]:
    seq_no = -1 if report.seq_no is None else report.seq_no
    measured_unix_us = -1 if report.measured_unix_us is None else report.measured_unix_us
    return (seq_no, measured_unix_us, report.phase)
