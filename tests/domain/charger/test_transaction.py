"""Transactions: repetitions, counts that cannot be trusted, clocks that are set back, reports in any order."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.transaction import SequenceNumbers, Transaction

_T = 1_785_850_545_000_000
_MINUTE = 60_000_000


def report(
    minute: float | None,
    kwh: float | None = None,
    phase: Literal["started", "updated", "ended"] = "updated",
    seq_no: int | None = None,
    **more: object,
) -> TransactionReported:
    measured_unix_us = None if minute is None else _T + round(minute * _MINUTE)
    readings = () if kwh is None else (MeterReading(measured_unix_us, energy_import_kwh=kwh),)
    fields = {"seq_no": seq_no, "measured_unix_us": measured_unix_us, "readings": readings} | more
    return TransactionReported("7", phase, 1, **fields)  # type: ignore[arg-type]


def fold(reports: list[TransactionReported], now_unix_us: int = _T) -> Transaction:
    """The transaction after these reports, as `ChargerState` and the session do it: what is repeated is left out."""
    transaction = Transaction("7", 1)
    for number, heard in enumerate(reports):
        if not transaction.repeats(heard):
            transaction.apply(heard, now_unix_us + number * _MINUTE)
    return transaction


@given(st.lists(st.integers(0, 60), max_size=60))
def test_sequence_numbers_are_a_set(numbers: list[int]) -> None:
    seen = SequenceNumbers()
    for number in numbers:
        seen.add(number)
    assert {number for number in range(-2, 70) if seen.holds(number)} == set(numbers)
    assert seen.last == max(numbers, default=-1)
    missing = set(range(min(numbers), max(numbers))) - set(numbers) if numbers else set()
    assert seen.missing_count == len(missing)
    assert all(low[1] + 1 < high[0] for low, high in zip(seen.runs, seen.runs[1:], strict=False))


def test_sequence_numbers_of_a_station_full_of_holes_stay_few() -> None:
    seen = SequenceNumbers()
    for number in range(0, 10_000, 2):
        seen.add(number)
    assert len(seen.runs) <= 64
    assert seen.holds(9998)


@st.composite
def stories(draw: st.DrawFn) -> list[TransactionReported]:
    """A whole transaction: started, updated with a register that only grows, ended."""
    kwh, minute = draw(st.floats(0.0, 10_000.0)), 0.0
    reports = [report(0.0, kwh, "started", 0)]
    for seq_no in range(1, draw(st.integers(2, 15))):
        minute += draw(st.floats(0.1, 30.0))
        kwh += draw(st.floats(0.0, 0.5))
        reports.append(report(minute, kwh, "updated", seq_no))
    return [*reports, report(minute + 1.0, kwh, "ended", len(reports), reason="Local")]


@given(stories(), st.randoms(use_true_random=False), st.integers(0, 10))
def test_no_order_and_no_repetition_changes_energy_begin_and_end(
    story: list[TransactionReported], random: object, repeated: int
) -> None:
    told = fold(story)
    arrived = story + story[:repeated]
    random.shuffle(arrived)  # type: ignore[attr-defined]
    found = fold(arrived)
    assert told.imported_kwh is not None
    assert found.imported_kwh is not None
    assert math.isclose(found.imported_kwh, told.imported_kwh, abs_tol=1e-9)
    assert (found.started_unix_us, found.ended_unix_us) == (
        told.started_unix_us,
        told.ended_unix_us,
    )
    assert found.heard_start
    assert not found.open
    assert found.charging_state == "idle"


@given(stories())
def test_everything_that_was_heard_is_known_again(story: list[TransactionReported]) -> None:
    transaction = fold(story[:-1])
    before = msgspec.json.encode(transaction)
    assert all(transaction.repeats(heard) for heard in story[:-1])
    assert fold(story + story) == fold(story)
    assert msgspec.json.encode(transaction) == before


def test_a_long_queue_sent_again_after_a_reboot_is_known_again() -> None:
    story = [
        report(0, 10.0, "started", 0),
        *(report(n, 10.0 + n / 100, seq_no=n) for n in range(1, 500)),
    ]
    transaction = fold(story)
    assert len(transaction.keys) <= 32
    assert all(transaction.repeats(heard) for heard in story)


def test_the_end_is_known_again_whatever_it_carries() -> None:
    transaction = fold([report(0, 10.0, "started", 0), report(9, 12.0, "ended", 1)])
    assert transaction.repeats(report(30, 12.5, "ended", 0))


def test_a_station_that_always_counts_zero_is_heard() -> None:
    story = [report(0, 10.0, "started", 0), *(report(n, 10.0 + n, seq_no=0) for n in range(1, 50))]
    transaction = fold(story)
    assert transaction.imported_kwh == pytest.approx(49.0)
    assert transaction.numbers_reused
    late = report(40.5, 50.5, seq_no=0)
    assert not transaction.repeats(late)


def test_a_count_that_begins_anew_is_heard() -> None:
    story = [report(n, 10.0 + n, seq_no=n) for n in range(10)]
    story += [report(10 + n, 20.0 + n, seq_no=n) for n in range(10)]
    assert fold(story).imported_kwh == pytest.approx(19.0)


def test_a_clock_set_back_loses_no_energy_even_if_the_count_begins_anew() -> None:
    story = [report(n, 10.0 + n, seq_no=n) for n in range(10)]
    story += [report(n - 55.5, 20.0 + n, seq_no=n) for n in range(10)]
    transaction = fold(story)
    assert transaction.imported_kwh == pytest.approx(19.0)


def test_a_clock_set_back_does_not_freeze_the_charging_state() -> None:
    story = [report(n, seq_no=n, charging_state="charging") for n in range(10)]
    story.append(report(-50, seq_no=10, charging_state="suspended_by_car"))
    assert fold(story).charging_state == "suspended_by_car"


def test_without_a_clock_and_a_count_nothing_is_taken_for_a_repetition() -> None:
    story = [report(None, 10.0, "started"), *(report(None, 10.0 + n) for n in range(1, 9))]
    assert fold(story).imported_kwh == pytest.approx(8.0)
    standing = [
        report(None, 10.0, "started", 0),
        *(report(None, 10.0 + n, seq_no=0) for n in range(1, 9)),
    ]
    assert fold(standing).imported_kwh == pytest.approx(8.0)


def test_a_late_report_leaves_the_charging_state_alone() -> None:
    story = [
        report(0, phase="started", seq_no=0, charging_state="car_connected"),
        report(9, seq_no=5, charging_state="charging"),
        report(4, seq_no=3, charging_state="suspended_by_car", late=True),
    ]
    assert fold(story).charging_state == "charging"


def test_what_comes_after_the_end_counts_as_energy_and_opens_nothing() -> None:
    story = [
        report(0, 10.0, "started", 0),
        report(9, 12.0, "ended", 2),
        report(9.5, 12.5, seq_no=1, charging_state="charging"),
    ]
    transaction = fold(story)
    assert not transaction.open
    assert transaction.charging_state == "idle"
    assert transaction.imported_kwh == pytest.approx(2.5)


def test_what_the_meter_showed_after_the_end_is_not_counted() -> None:
    """Asked for its meter, a charger tells what it shows now, before the queue that holds the end."""
    begun = [report(0, 100.0, "started"), report(10, 101.0)]
    asked = report(30, 105.0, readings=(MeterReading(_T + 30 * _MINUTE, "triggered", None, 105.0),))
    queued = [
        report(15, 101.5),
        report(
            20,
            phase="ended",
            readings=(
                MeterReading(_T + 20 * _MINUTE, "end", energy_import_kwh=102.2504),
                MeterReading(_T + 20 * _MINUTE, "end", energy_import_kwh=102.25),
            ),
        ),
    ]
    transaction = fold([*begun, asked, *queued])
    assert transaction.imported_kwh == pytest.approx(2.2504)
    assert fold([*begun, *queued]).imported_kwh == transaction.imported_kwh


def test_an_end_by_a_clock_set_back_loses_no_energy() -> None:
    ended = report(5, phase="ended", readings=(MeterReading(_T + 5 * _MINUTE, "end", None, 104.0),))
    transaction = fold([report(0, 100.0, "started"), report(30, 103.0), ended])
    assert transaction.imported_kwh == pytest.approx(4.0)


def test_a_clock_set_back_after_a_start_without_a_register_loses_no_energy() -> None:
    story = [
        report(0, phase="started", seq_no=0),
        report(-90, 100.0, seq_no=1),
        report(-60, 103.0, seq_no=2),
    ]
    assert fold(story).imported_kwh == pytest.approx(3.0)


def test_a_beginning_without_a_clock_does_not_shut_out_the_queue_after_it() -> None:
    story = [
        report(None, 100.0, "started", 0),
        report(-500, 101.0, seq_no=1),
        report(-400, 104.0, seq_no=2),
    ]
    transaction = fold(story)
    assert transaction.imported_kwh == pytest.approx(4.0)
    assert transaction.started_unix_us == _T - 500 * _MINUTE


def test_intervals_are_added_once() -> None:
    transaction = Transaction("7", 1)
    for minute in (15, 30, 30, 15, 45):
        reading = MeterReading(
            _T + minute * _MINUTE, energy_import_interval_kwh=2.0, energy_export_interval_kwh=0.5
        )
        transaction.add_reading(reading, _T)
    assert transaction.imported_kwh == pytest.approx(6.0)
    assert transaction.exported_kwh == pytest.approx(1.5)


def test_neither_registers_nor_intervals_is_unknown_and_not_zero() -> None:
    transaction = fold([report(0, phase="started", seq_no=0), report(9, phase="ended", seq_no=1)])
    assert transaction.imported_kwh is None
    assert transaction.exported_kwh is None


def test_the_end_of_an_unknown_transaction_is_its_only_report() -> None:
    transaction = fold([report(9, 12.0, "ended", 4, reason="PowerLoss")])
    assert (transaction.open, transaction.heard_start, transaction.end_reason) == (
        False,
        False,
        "PowerLoss",
    )


@given(stories())
def test_a_snapshot_is_the_transaction(story: list[TransactionReported]) -> None:
    transaction = fold(story)
    assert msgspec.json.decode(msgspec.json.encode(transaction), type=Transaction) == transaction
    assert len(transaction.keys) <= 4
