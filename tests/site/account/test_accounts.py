"""The fold as a whole: energy is conserved, order and restarts change nothing, and what is broken is told."""

from __future__ import annotations

import random
from datetime import datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.charger.event import MeterRead, TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.journal import Entry
from parkwatt.domain.site.event import CarInterval, SiteStarted
from parkwatt.site.account import Accounts, By, sums_by
from parkwatt.site.account.sums import Sums, total
from tests.site.account.made import (
    BERLIN,
    MONDAY_UNIX_S,
    QUARTER_S,
    US,
    Home,
    Made,
    folded,
)
from tests.site.account.made import settings as home_settings

ALL = (0, 1 << 60)


def a_home(seed: int, days: int = 3, read_every_s: int = 60) -> Home:
    """Some days of a car that charges and gives at random."""
    home = Home()
    home.live(
        MONDAY_UNIX_S,
        days,
        seed=seed,
        power_kw=lambda chance, _: chance.choice([-6.0, -1.5, 0.0, 3.0, 10.0]),
        read_every_s=read_every_s,
    )
    return home


def whole(accounts: Accounts, by: By) -> Sums:
    """All sums together."""
    return total(row.sums for row in sums_by(accounts.ledger, by, *ALL))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_energy_is_conserved_over_stays_days_and_registers(seed: int) -> None:
    home = a_home(seed)
    accounts = folded(home.made.entries)
    by_stay = whole(accounts, "session")
    assert by_stay.in_kwh == pytest.approx(home.moved_in_kwh, abs=1e-6)
    assert by_stay.out_kwh == pytest.approx(home.moved_out_kwh, abs=1e-6)
    for by in ("day", "month", "year"):
        sums = whole(accounts, by)
        for name in ("in_kwh", "out_kwh", "cost", "at_once_cost", "net_saving", "driven_kwh"):
            assert getattr(sums, name) == pytest.approx(getattr(by_stay, name), abs=1e-6), name
    assert by_stay.difference_kwh == pytest.approx(0.0, abs=1e-6)
    assert by_stay.guessed_kwh == 0.0
    assert by_stay.to_home_kwh + by_stay.to_grid_kwh == pytest.approx(by_stay.out_kwh)


@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 1.0))
@settings(max_examples=10)
def test_a_restart_anywhere_gives_the_same_to_the_last_bit(seed: int, share: float) -> None:
    entries = a_home(seed).made.entries
    undisturbed = folded(entries)
    at = round(share * len(entries))
    before = folded(entries[:at])
    assert before.ledger.until_unix_s >= 0  # somebody looks in between
    after = Accounts.restored(home_settings(), before.snapshot())
    assert after is not None
    for entry in entries[at:]:
        after.take(entry)
    assert after.snapshot() == undisturbed.snapshot()
    for by in ("session", "day"):
        assert sums_by(after.ledger, by, *ALL) == sums_by(undisturbed.ledger, by, *ALL)


@given(seed=st.integers(0, 10_000), late_share=st.floats(0.0, 0.9))
@settings(max_examples=10)
def test_reports_that_come_late_out_of_order_and_twice_change_nothing(
    seed: int, late_share: float
) -> None:
    entries = a_home(seed).made.entries
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    prompt: list[Entry] = []
    late: list[Entry] = []
    for entry in entries:
        is_late = entry.kind == "meter.read" and chance.random() < late_share
        (late if is_late else prompt).append(entry)
    late += chance.sample(late, len(late) // 3)
    chance.shuffle(late)
    end_unix_us = entries[-1].recorded_unix_us
    later = [
        msgspec.structs.replace(entry, recorded_unix_us=end_unix_us + index)
        for index, entry in enumerate(late)
    ]
    disturbed = folded([*prompt, *later])
    assert sums_by(disturbed.ledger, "day", *ALL) == sums_by(folded(entries).ledger, "day", *ALL)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_thinned_readings_leave_the_account_as_it_was(seed: int) -> None:
    """Retention keeps the first and the last reading of each quarter of an hour."""
    entries = a_home(seed).made.entries
    reads: dict[int, list[int]] = {}
    for index, entry in enumerate(entries):
        if entry.kind == "meter.read":
            reads.setdefault(entry.recorded_unix_us // (QUARTER_S * US), []).append(index)
    gone = {index for window in reads.values() for index in window[1:-1]}
    thinned = [
        msgspec.structs.replace(entry, payload=None) if index in gone else entry
        for index, entry in enumerate(entries)
    ]
    assert gone
    assert sums_by(folded(thinned).ledger, "day", *ALL) == sums_by(
        folded(entries).ledger, "day", *ALL
    )


def test_without_any_reading_the_sites_quarters_count() -> None:
    home = a_home(5)
    silent = [entry for entry in home.made.entries if not entry.kind.startswith(("meter", "trans"))]
    found = whole(folded(silent), "session")
    assert found.in_kwh == pytest.approx(home.moved_in_kwh)
    assert found.out_kwh == pytest.approx(home.moved_out_kwh)


def test_a_gap_in_the_readings_is_filled_from_the_quarters_or_told() -> None:
    home = a_home(6)
    start = (MONDAY_UNIX_S + 20 * 3600) * US
    gap = [
        entry
        for entry in home.made.entries
        if entry.kind != "meter.read" or not start <= entry.recorded_unix_us < start + 7200 * US
    ]
    shaped = folded(gap)
    assert whole(shaped, "day").guessed_kwh == pytest.approx(0.0)
    exact = sums_by(folded(home.made.entries).ledger, "day", *ALL)
    for one, other in zip(sums_by(shaped.ledger, "day", *ALL), exact, strict=True):
        assert one.sums.cost == pytest.approx(other.sums.cost, abs=0.02)
    quarters_gone = [
        entry
        for entry in gap
        if entry.kind != "site.interval" or not start <= entry.recorded_unix_us < start + 7200 * US
    ]
    even = whole(folded(quarters_gone), "day")
    assert even.guessed_kwh > 0.5
    assert even.in_kwh == pytest.approx(home.moved_in_kwh)


def test_while_the_program_stood_still_registers_and_the_tariff_tell_the_rest() -> None:
    made = Made()
    made.transaction(MONDAY_UNIX_S, "started", 10.0)
    stay = made.began(MONDAY_UNIX_S)
    made.quarter(MONDAY_UNIX_S, buy=0.3, import_kwh=0.1, export_kwh=0.0)
    # Two hours later the charger tells what it queued: 3 kWh in the second hour.
    back = MONDAY_UNIX_S + 3 * 3600
    for minute in range(15, 181, 15):
        register = 10.0 + max(minute - 60, 0) / 20
        at = MONDAY_UNIX_S + minute * 60
        made.read(at, register, received_unix_s=back)
    made.quarter(back, buy=0.3, import_kwh=0.1, export_kwh=0.0)
    made.transaction(back + QUARTER_S, "ended", 16.0)
    made.ended(stay, back + QUARTER_S)
    sums = whole(folded(made.entries), "session")
    assert sums.in_kwh == pytest.approx(6.0)
    # No price was known for these hours: the mean of the day's two quarters stands in.
    assert sums.unpriced_kwh == pytest.approx(6.0)
    assert sums.cost == pytest.approx(6.0 * 0.3)


def test_a_clock_that_is_hours_behind_is_seen_through() -> None:
    made = Made()
    behind_s = 3 * 3600
    for minute in range(0, 61, 5):
        at = MONDAY_UNIX_S + minute * 60
        reading = MeterReading(measured_unix_us=(at - behind_s) * US, energy_import_kwh=minute / 10)
        report = TransactionReported(
            transaction_id="T1",
            phase="started" if not minute else "updated",
            evse_id=1,
            seq_no=minute,
            measured_unix_us=(at - behind_s) * US,
            readings=(reading,),
        )
        made.charger(report, at)
    for quarter in range(4):
        made.quarter(MONDAY_UNIX_S + quarter * QUARTER_S, buy=0.1, import_kwh=1.5, export_kwh=0.0)
    accounts = folded(made.entries)
    pieces = accounts.ledger.pieces
    after = pieces.in_kwh[pieces.start_unix_s >= MONDAY_UNIX_S].sum()
    # What was told before the clock was known for what it is, the first half kWh, is put too early.
    assert after == pytest.approx(5.5, abs=0.1)


def test_a_clock_that_is_ahead_is_never_believed() -> None:
    made = Made()
    made.read(MONDAY_UNIX_S + 7200, 1.0, received_unix_s=MONDAY_UNIX_S)
    made.read(MONDAY_UNIX_S + 8100, 2.0, received_unix_s=MONDAY_UNIX_S + QUARTER_S)
    made.quarter(MONDAY_UNIX_S, buy=0.1, import_kwh=1.5, export_kwh=0.0)
    assert whole(folded(made.entries), "day").in_kwh == pytest.approx(1.0)


def test_a_quarter_that_is_closed_twice_counts_once() -> None:
    made = Made()
    made.read(MONDAY_UNIX_S, 0.0)
    made.read(MONDAY_UNIX_S + QUARTER_S, 1.0)
    made.quarter(MONDAY_UNIX_S, buy=0.3, import_kwh=1.2, export_kwh=0.0, coverage=1.0)
    made.quarter(MONDAY_UNIX_S, buy=0.9, import_kwh=None, export_kwh=None, coverage=0.3)
    assert whole(folded(made.entries), "day").cost == pytest.approx(0.3)


def test_what_moves_outside_of_all_stays_is_told_and_counted() -> None:
    made = Made()
    stay = made.began(MONDAY_UNIX_S)
    made.ended(stay, MONDAY_UNIX_S + QUARTER_S)
    made.read(MONDAY_UNIX_S, 5.0)
    made.read(MONDAY_UNIX_S + 4 * QUARTER_S, 5.0)
    made.read(MONDAY_UNIX_S + 5 * QUARTER_S, 7.0)
    for quarter in range(5):
        made.quarter(MONDAY_UNIX_S + quarter * QUARTER_S, buy=0.3, import_kwh=2.0, export_kwh=0.0)
    rows = sums_by(folded(made.entries).ledger, "session", *ALL)
    assert [(row.name, row.sums.in_kwh) for row in rows] == [
        (stay, 0.0),
        ("outside of stays", 2.0),
    ]
    assert rows[1].sums.gross_saving == 0.0


def test_two_stays_in_one_quarter_share_it_by_the_register() -> None:
    made = Made()
    at = MONDAY_UNIX_S
    made.transaction(at, "started", 0.0, transaction_id="T1")
    first = made.began(at)
    made.transaction(at + 300, "ended", 0.8, transaction_id="T1")
    made.ended(first, at + 300)
    made.transaction(at + 420, "started", 0.8, transaction_id="T2")
    second = made.began(at + 420)
    made.read(at + 900, 2.0)
    made.quarter(at, buy=0.3, import_kwh=2.0, export_kwh=0.0)
    made.transaction(at + 960, "ended", 2.0, transaction_id="T2")
    made.ended(second, at + 960)
    made.quarter(at + 900, buy=0.3, import_kwh=0.0, export_kwh=0.0)
    rows = sums_by(folded(made.entries).ledger, "session", *ALL)
    assert [row.sums.in_kwh for row in rows] == pytest.approx([0.8, 1.2])


def test_a_stay_whose_end_was_never_told_ends_when_the_next_begins() -> None:
    made = Made()
    made.began(MONDAY_UNIX_S, 20.0)
    made.read(MONDAY_UNIX_S, 0.0)
    made.read(MONDAY_UNIX_S + 900, 1.0)
    made.began(MONDAY_UNIX_S + 3600, 30.0)
    made.read(MONDAY_UNIX_S + 4500, 3.0)
    for quarter in range(5):
        made.quarter(MONDAY_UNIX_S + quarter * QUARTER_S, buy=0.3, import_kwh=2.0, export_kwh=0.0)
    first, second = folded(made.entries).ledger.stays
    assert (first.ended, first.until_unix_s) == (True, MONDAY_UNIX_S + 3600)
    assert (second.ended, second.until_unix_s) == (False, MONDAY_UNIX_S + 4500)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(datetime(2026, 3, 29, tzinfo=BERLIN), 23), (datetime(2026, 10, 25, tzinfo=BERLIN), 25)],
)
def test_days_of_23_and_25_hours_hold_all_their_quarters(day: datetime, hours: int) -> None:
    made, start = Made(), int(day.timestamp())
    register = 0.0
    made.read(start, register)
    made.began(start)
    for quarter in range(hours * 4 + 4):
        at = start + quarter * QUARTER_S
        register += 0.5
        made.read(at + QUARTER_S, register)
        made.quarter(at, buy=0.2, import_kwh=0.5, export_kwh=0.0)
    rows = sums_by(folded(made.entries).ledger, "day", *ALL)
    assert [row.name for row in rows] == [f"{day:%Y-%m-%d}", f"{day:%Y-%m}-{day.day + 1}"]
    assert [row.sums.in_kwh for row in rows] == pytest.approx([hours * 2.0, 2.0])
    assert [row.sums.cost for row in rows] == pytest.approx([hours * 0.4, 0.4])
    assert rows[0].end_unix_s - rows[0].start_unix_s == hours * 3600


def test_a_charger_that_only_tells_intervals_is_accounted() -> None:
    made = Made()
    made.began(MONDAY_UNIX_S)
    for quarter in range(1, 5):
        at = MONDAY_UNIX_S + quarter * QUARTER_S
        reading = MeterReading(measured_unix_us=at * US, energy_import_interval_kwh=0.5)
        for _ in range(2):  # told twice
            made.charger(MeterRead(1, (reading,)), at)
        made.quarter(at - QUARTER_S, buy=0.3, import_kwh=0.5, export_kwh=0.0)
    assert whole(folded(made.entries), "day").in_kwh == pytest.approx(2.0)


def test_the_chargers_main_meter_is_not_the_cars() -> None:
    made = Made()
    for quarter in range(3):
        at = MONDAY_UNIX_S + quarter * QUARTER_S
        reading = MeterReading(measured_unix_us=at * US, energy_import_kwh=float(quarter))
        made.charger(MeterRead(0, (reading,)), at, charger_id="TWO-PLUGS")
        made.quarter(at, buy=0.3, import_kwh=0.5, export_kwh=0.0)
    assert whole(folded(made.entries), "day").in_kwh == 0.0


def test_an_entry_that_cannot_be_read_is_left_out_and_counted() -> None:
    accounts = folded([Entry(1, 5, "stay.began", "site", b'{"kind":"stay.began"}')])
    assert (accounts.unreadable_count, accounts.ledger.stays) == (1, ())


def test_an_empty_journal_has_empty_accounts() -> None:
    accounts = folded([])
    assert sums_by(accounts.ledger, "session", *ALL) == []
    assert sums_by(accounts.ledger, "day", *ALL) == []


def test_a_snapshot_of_another_version_is_not_gone_on_from() -> None:
    snapshot = msgspec.msgpack.encode({"version": 0})
    assert Accounts.restored(home_settings(), snapshot) is None


def test_the_car_that_its_settings_no_longer_name_keeps_its_energy() -> None:
    made = Made()
    stay = made.began(MONDAY_UNIX_S, car_id="old", at="CP-9")
    made.read(MONDAY_UNIX_S, 0.0, charger_id="CP-9")
    made.read(MONDAY_UNIX_S + 900, 1.0, charger_id="CP-9")
    cars = {"old": CarInterval(1.0, 0.0, None, 900)}
    made.quarter(MONDAY_UNIX_S, buy=0.3, import_kwh=1.0, export_kwh=0.0, cars=cars)
    made.ended(stay, MONDAY_UNIX_S + 900, car_id="old")
    (row,) = sums_by(folded(made.entries).ledger, "session", *ALL)
    assert (row.car_id, row.sums.in_kwh, row.sums.cost) == pytest.approx(("old", 1.0, 0.3))
    assert row.sums.net_saving == pytest.approx(0.0)


def test_starts_of_the_program_change_no_energy() -> None:
    home = a_home(9, days=1)
    made = Made([*home.made.entries])
    made.site(SiteStarted("1"), MONDAY_UNIX_S + 86_400)
    assert whole(folded(made.entries), "day") == whole(folded(home.made.entries), "day")
