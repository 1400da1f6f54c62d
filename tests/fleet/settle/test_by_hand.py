"""Cases that were calculated by hand, to the cent, and laws of sharing."""

import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.fleet.settle import Asked, pay_due
from parkwatt.domain.fleet import record
from parkwatt.domain.fleet.programme import Programme
from parkwatt.domain.journal import Entry, Note
from parkwatt.fleet.settle.payments import payments_due
from parkwatt.fleet.settle.split import shared_cents
from parkwatt.fleet.settle.state import fold
from parkwatt.fleet.settle.units import Unit, settle
from parkwatt.io.store.sqlite_journal import SqliteJournal

DAY = 86_400
START = 1_782_864_000  # 2026-07-01 00:00 UTC, a Wednesday
LATE = START + 400 * DAY


def terms(**rules: object) -> record.TermsSet:
    given_rules = {
        "kind": "event", "time_zone": "UTC", "currency": "USD", "meter_point": "charger",
        "meter_minutes": 60, **rules,
    }  # fmt: skip
    return record.TermsSet(Programme("p", "P", **given_rules), "energy", Decimal("0.1"))  # type: ignore[arg-type]


def joined(car: str) -> record.Enrolled:
    return record.Enrolled("p", car, f"driver-{car}", car, START - 100 * DAY, "yes")


def metered(car: str, at: int, net: list[str], step_s: int = 3600) -> record.EnergyMetered:
    values = [Decimal(text) for text in net]
    return record.EnergyMetered(
        "charger",
        car,
        at,
        step_s,
        tuple(max(Decimal(0), v) for v in values),
        tuple(max(Decimal(0), -v) for v in values),
    )


def entries(records: list[record.ProgrammeRecord]) -> list[Entry]:
    return [
        Entry(n + 1, LATE * 1_000_000, record.kind(r), record.SUBJECT, record.encode(r))
        for n, r in enumerate(records)
    ]


def settled(records: list[record.ProgrammeRecord]) -> list[Unit]:
    return settle(fold(entries(records)), LATE)


def elrp() -> list[record.ProgrammeRecord]:
    event = START + 16 * 3600
    found: list[record.ProgrammeRecord] = [
        terms(price_per_kwh=Decimal(2), baseline="ten_of_ten"),
        joined("a"),
        record.EventAnnounced("p", "e1", event, event + 2 * 3600),
    ]
    # 20 days of 3 kWh an hour; on the day itself 4.5 kWh before: half more, so the factor is capped at 1.2.
    found += [metered("a", START - day * DAY, ["3"] * 24) for day in range(1, 21)]
    found.append(metered("a", START, ["4.5"] * 16 + ["1", "-5.5"] + ["3"] * 6))
    return found


def test_elrp_with_the_cap_of_the_factor_and_export() -> None:
    (unit,) = settled(elrp())
    # baseline 3.6: (3.6 - 1) + (3.6 + 5.5) = 11.7 kWh, 23.40 USD; the pool keeps a tenth
    assert (unit.payment, unit.pool) == (Decimal("23.40"), Decimal("2.34"))
    assert unit.parts[0].gross == Decimal("21.06")


def test_order_and_repetition_do_not_matter() -> None:
    records = elrp()
    mixed = records * 2
    random.Random(3).shuffle(mixed)  # noqa: S311
    assert settled(mixed) == settled(records)


def test_maine_counts_an_opt_out_as_nothing_and_a_part_in_part() -> None:
    records: list[record.ProgrammeRecord] = [
        terms(kind="capacity", price_per_kw_year=Decimal(200), level="meter", meter_minutes=20),
        joined("a"),
    ]
    for day, name in enumerate(("e1", "e2")):
        event = START + day * DAY
        records.append(record.EventAnnounced("p", name, event, event + 3600))
        records.append(metered("a", event, ["-3", "0", "0"], 1200))  # 9 kW in a third of an hour
    records.append(record.OfferAnswered("p", "e2", "a", "opted_out", START + DAY + 1800))
    (unit,) = settled(records)
    assert unit.payment == Decimal("300.00")  # mean of 3 kW and 0 kW is 1.5 kW
    assert unit.final


def test_fcr_pays_what_was_available() -> None:
    block = record.BlockCleared(
        "p", "b1", START, START + 4 * 3600, Decimal(2000), Decimal("12.345")
    )
    judged = record.BlockPerformed("p", "b1", 3 * 3600)
    held = record.PowerOffered("p", "a", START, START + 4 * 3600, Decimal(2500))
    (unit,) = settled([terms(kind="frequency"), joined("a"), block, judged, held])
    assert unit.payment == Decimal("74.07")  # 2 MW * 4 h * 12.345 * 3/4


def test_arbitrage_is_what_was_moved_at_each_price() -> None:
    records: list[record.ProgrammeRecord] = [
        terms(kind="energy"),
        joined("a"),
        record.ScheduleDeclared("p", "a", START - 60, START, 3600, (Decimal(5), Decimal(0))),
        record.EnergyPriced("p", START, 3600, (Decimal("0.30"), Decimal("0.10"))),
        metered("a", START, ["0", "5"]),
    ]
    (unit,) = settled(records)
    assert unit.payment == Decimal("1.00")


def test_a_decline_costs_nothing() -> None:
    records = [*elrp(), record.OfferAnswered("p", "e1", "a", "declined", START)]
    (unit,) = settled(records)
    assert unit.payment == 0
    assert [part.gross for part in unit.parts] == [0]


def test_nothing_is_paid_twice(tmp_path: Path) -> None:
    path = tmp_path / "pool.journal"
    journal = SqliteJournal(path)
    notes = [Note(LATE * 1_000_000, e.kind, e.subject, e.payload or b"") for e in entries(elrp())]
    journal.append(notes).result(30)
    journal.close()
    asked = Asked(path, None, None, None, None)
    assert [made.amount for made in pay_due(asked).due] == [Decimal("21.06")]
    assert pay_due(asked).due == ()


def test_what_was_paid_too_much_is_the_pools() -> None:
    made = record.PaymentMade("p/e1/driver-a/0", "p", "e1", "driver-a", Decimal("30.00"), "USD")
    state = fold(entries([*elrp(), made, made]))
    found = payments_due(state, settle(state, LATE))
    assert (found.due, found.overpaid[0].amount) == ((), Decimal("8.94"))


@given(
    st.integers(-1000, 10**7),
    st.dictionaries(st.text(max_size=3), st.fractions(0, 100), max_size=8),
    st.fractions(0, 1),
)
def test_parts_add_up(cents: int, weights: dict[str, Fraction], share: Fraction) -> None:
    parts, pool = shared_cents(cents, weights, share)
    assert sum(parts.values()) + pool == cents
    assert all(part >= 0 for part in parts.values())
