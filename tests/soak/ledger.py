"""The journal held against the truth that the chargers wrote: nothing missing, nothing twice, energy right.

Messages of 2.x are told apart by their transaction and sequence number. 1.6 has no such number: beginnings and ends are told
apart by their transaction, meter values by their transaction and register, of which there must be as many as were acknowledged.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.event import TransactionReported
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.charger.transaction import Transaction
from parkwatt.io.store.reader import JournalReader
from tests.soak.chargers import MESSAGES_FILE, TRANSACTIONS_FILE

TOLERANCE_WH = 1.0
# 1.6 tells no register of what was given when a transaction begins: what a car gave before the first meter values, by the
# charger's clock a second later and with at most 6 kW, is not known to anybody.
UNKNOWN_EXPORT_V16_WH = 6000.0 / 3600.0
# Registers in the truth and the journal are the same decimal number; this is what floats make of it.
FLOAT_WH = 1e-6
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """What the comparison found. ``faults``: a line each; the rest are counts and the greatest deviation of an energy.

    ``known_again``: messages that were in the journal before a kill and acknowledged only after it, when they came again.
    """

    faults: list[str]
    acknowledged: int
    resent: int
    known_again: int
    transactions: int
    energy_kwh: float
    deviation_wh_max: float

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} messages acknowledged, {self.resent} sent again, {self.known_again} of them "
            f"journalled before a kill and acknowledged after it; {self.transactions} transactions, "
            f"{self.energy_kwh:.1f} kWh moved, energy wrong by {self.deviation_wh_max:.3f} Wh at most; "
            f"{len(self.faults)} faults"
        )


@dataclass
class Kept:
    """What the journal holds: each report with the times of its entries, and each transaction as it follows from them."""

    reports: dict[Key, list[int]]
    transactions: dict[tuple[str, str], Transaction]


def compare(journal: Path, directory: Path, kills_unix_us: Iterable[int] = ()) -> Comparison:
    """Compare the journal with the truth in ``directory``, whose chargers have ended, with nothing left to tell."""
    truth: list[dict[str, Any]] = json.loads((directory / TRANSACTIONS_FILE).read_text())
    kept = read_journal(journal)
    acknowledged, sent_count, dropped = _messages(directory, truth)
    faults = [f"given up by the charger: {line}" for line in dropped]
    faults += _differences(acknowledged, kept)
    energy_faults, deviation_wh_max = _energy_faults(truth, kept)
    acknowledged_count = sum(map(len, acknowledged.values()))
    return Comparison(
        faults=faults + energy_faults,
        acknowledged=acknowledged_count,
        resent=sent_count - acknowledged_count,
        known_again=_known_again(acknowledged, kept, sorted(kills_unix_us)),
        transactions=len(truth),
        energy_kwh=sum(known["import_wh"] + known["export_wh"] for known in truth) / 1000,
        deviation_wh_max=deviation_wh_max,
    )


def read_journal(path: Path) -> Kept:
    """Fold the whole journal, and keep every transaction, also those that a state forgets in time."""
    states: dict[str, ChargerState] = {}
    kept = Kept({}, {})
    for entry in JournalReader(path).read():
        if entry.payload is None or entry.kind not in events.KINDS:
            continue
        event = events.decode(entry.payload)
        state = states.setdefault(entry.subject, ChargerState(entry.subject))
        state.apply(event, entry.recorded_unix_us)
        if isinstance(event, TransactionReported):
            known = state.transactions.get(event.transaction_id)
            if known is not None:
                kept.transactions[entry.subject, event.transaction_id] = known
            for key in _keys(entry.subject, event):
                kept.reports.setdefault(key, []).append(entry.recorded_unix_us)
    return kept


def _keys(subject: str, event: TransactionReported) -> Iterator[Key]:
    """What tells the report from all others; what the back end itself asked a charger of 1.6 for is none."""
    if event.seq_no is not None:
        yield (subject, event.transaction_id, event.seq_no)
    elif event.phase != "updated":
        yield (subject, event.transaction_id, event.phase)
    else:
        for reading in event.readings:
            if reading.moment == "interval" and reading.energy_import_kwh is not None:
                register_wh = round(reading.energy_import_kwh * 1000, 3)
                yield (subject, event.transaction_id, "updated", register_wh)


def _messages(
    directory: Path, truth: list[dict[str, Any]]
) -> tuple[dict[Key, list[int]], int, list[str]]:
    """When each message was acknowledged, how many were sent, and those that a charger gave up."""
    by_id = {(known["station"], known["transaction"]): known for known in truth}
    acknowledged: dict[Key, list[int]] = {}
    sent_count = 0
    dropped = []
    for line in (directory / MESSAGES_FILE).read_text().splitlines():
        told = json.loads(line)
        if told["kind"] == "sent":
            sent_count += 1
        elif told["kind"] == "dropped":
            dropped.append(line)
        elif told["kind"] == "acknowledged":
            key = _truth_key(told, by_id[told["station"], told["transaction"]])
            acknowledged.setdefault(key, []).append(told["told_unix_us"])
    return acknowledged, sent_count, dropped


def _truth_key(told: dict[str, Any], known: dict[str, Any]) -> Key:
    if known["protocol"] != "1.6":
        return (told["station"], told["transaction"], told["seq_no"])
    number = str(known["csms_id"])
    if told["event"] != "Updated":
        return (told["station"], number, told["event"].lower())
    return (told["station"], number, "updated", round(told["import_wh"], 3))


def _differences(acknowledged: dict[Key, list[int]], kept: Kept) -> list[str]:
    wanted = Counter({key: len(times) for key, times in acknowledged.items()})
    found = Counter({key: len(times) for key, times in kept.reports.items()})
    faults = [f"missing {count}: {key}" for key, count in (wanted - found).items()]
    return faults + [f"too often {count}: {key}" for key, count in (found - wanted).items()]


def _known_again(acknowledged: dict[Key, list[int]], kept: Kept, kills_unix_us: list[int]) -> int:
    """How many were journalled before a kill and acknowledged after it."""
    count = 0
    for key, told in acknowledged.items():
        recorded = kept.reports.get(key, [])
        if len(told) == len(recorded) == 1:
            count += any(recorded[0] < kill <= told[0] for kill in kills_unix_us)
    return count


def tolerance_wh(known: dict[str, Any], direction: str) -> float:
    """How far off the energy of a transaction may be."""
    unknown_wh = UNKNOWN_EXPORT_V16_WH if known["protocol"] == "1.6" else 0.0
    return TOLERANCE_WH + FLOAT_WH + (unknown_wh if direction == "export" else 0.0)


def _energy_faults(truth: list[dict[str, Any]], kept: Kept) -> tuple[list[str], float]:
    faults = []
    deviation_wh_max = 0.0
    counted = set()
    for known in truth:
        name = known["transaction"] if known["csms_id"] is None else str(known["csms_id"])
        counted.add((known["station"], name))
        transaction = kept.transactions.get((known["station"], name))
        if transaction is None:
            faults.append(f"no such transaction: {known}")
            continue
        if transaction.open:
            faults.append(f"not ended: {known}")
        for direction in ("import", "export"):
            counted_kwh = getattr(transaction, f"{direction}ed_kwh")
            true_wh = known[f"{direction}_wh"]
            deviation_wh = abs((counted_kwh or 0.0) * 1000 - true_wh)
            deviation_wh_max = max(deviation_wh_max, deviation_wh)
            if deviation_wh > tolerance_wh(known, direction):
                faults.append(f"{direction} {counted_kwh} kWh, in truth {true_wh} Wh: {known}")
    faults += [f"never happened: {key}" for key in kept.transactions.keys() - counted]
    return faults, deviation_wh_max
