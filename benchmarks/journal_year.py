"""A year's journal of a home with a car: how long a search takes, and how long a past moment.

Written at full density, as if retention had thinned nothing: a meter that tells every ten seconds, the means of each minute, a
set-point every two minutes, a plan every hour, and a snapshot of the state each day.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.harness import Figure
from parkwatt.app.api.past.day import day_view
from parkwatt.app.api.past.journal import PastJournal
from parkwatt.app.api.past.site import site_at
from parkwatt.app.api.reasons_search import Search, search
from parkwatt.app.live_settings import read_live_settings
from parkwatt.domain.charger import event as charger_event
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.home import event as home_event
from parkwatt.domain.journal import Note
from parkwatt.domain.record import Faults
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.live_plan import CarPlan, LivePlan
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.state import STATE_VERSION, SiteState, encode_state

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS, _MINUTES, _MOMENTS = 365, 1440, 40
_US = 1_000_000
_SITE = """\
name = "Home"
[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"
[tariff.import]
price_per_kwh = 0.3
[connection]
fuse_a = 35
[ocpp]
admit_unknown = true
[[charger]]
id = "GARAGE"
discharge = true
[car]
name = "ID.4"
battery_kwh = 77
charge_kw_max = 11
"""
_REASONS = (
    "the sun gives more than the house needs",
    "charges in the cheapest hours before 07:30",
    "runs the house: power costs 41 ct now",
)
_NEEDLE = "defrosting"


def figures() -> list[Figure]:
    """Searches and moments."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.sqlite")
        count = _write(path)
        settings = _settings(Path(folder))
        return [
            Figure("a year's journal: entries", count, "entries", "", None),
            Figure("a year's journal: size", path.stat().st_size / 1e6, "MB", "", None),
            *_searches(path, settings),
            *_moments(path, settings),
        ]


def _searches(path: Path, settings: SiteSettings) -> Iterator[Figure]:
    first_s = _timed(lambda: search(path, Search(), settings.time_zone))
    yield Figure("journal: the last fifty reasons", first_s * 1e3, "ms", "", None)
    took_s, before_seq = list[float](), None
    while True:
        wanted = Search(words=_NEEDLE, before_seq=before_seq)
        begun_s = time.perf_counter()
        found = search(path, wanted, settings.time_zone)
        took_s.append(time.perf_counter() - begun_s)
        before_seq = found.before_seq
        if before_seq is None:
            break
    calls = f"{len(took_s)} calls, the longest {max(took_s):.2f} s"
    yield Figure("journal: one word in the whole year", sum(took_s), "s", calls, None)


def _moments(path: Path, settings: SiteSettings) -> Iterator[Figure]:
    draw = random.Random(1)  # noqa: S311
    begin_unix_us = int(_BEGIN.timestamp()) * _US
    took_s = []
    for _ in range(_MOMENTS):
        at_unix_us = begin_unix_us + round(draw.uniform(2, _DAYS) * 86_400 * _US)
        took_s.append(_timed(lambda at=at_unix_us: site_at(PastJournal(path, at), settings)))
    took_s.sort()
    yield Figure("journal: a past moment, median", took_s[_MOMENTS // 2] * 1e3, "ms", "", None)
    yield Figure("journal: a past moment, longest", took_s[-1] * 1e3, "ms", "", None)
    day = date(2026, 7, 1)
    day_s = _timed(lambda: day_view(path, day, settings))
    yield Figure("journal: a past day by the quarter", day_s * 1e3, "ms", "", None)


def _timed(do: object) -> float:
    assert callable(do)
    begun_s = time.perf_counter()
    do()
    return time.perf_counter() - begun_s


def _settings(folder: Path) -> SiteSettings:
    path = folder / "site.toml"
    path.write_text(_SITE, encoding="utf-8")
    settings = read_live_settings(path, Faults())
    assert settings is not None
    return settings.site


def _write(path: Path) -> int:
    journal, draw, count = SqliteJournal(path), random.Random(1), 0  # noqa: S311
    snapshot = _snapshot()
    for day in range(_DAYS):
        notes = list(_day(_BEGIN + timedelta(days=day), draw, day))
        notes.append(_site(int((_BEGIN + timedelta(days=day + 1)).timestamp()) * _US, snapshot))
        for start in range(0, len(notes), 500):
            written = journal.append(notes[start : start + 500])
        written.result()
        count += len(notes)
    journal.close()
    return count


def _day(begin: datetime, draw: random.Random, day: int) -> Iterator[Note]:
    for minute in range(_MINUTES):
        unix_s = int(begin.timestamp()) + 60 * minute
        at_unix_us = unix_s * _US
        car = site_event.CarMinute(power_kw=1.0, energy_kwh=40.0, in_kwh=0.0167, out_kwh=0.0)
        measured = site_event.Measured(
            unix_s - 60, 60, grid_kw=1.2, export_kw=0.0, load_kw=1.2, cars={"ID.4": car}
        )
        yield _site(at_unix_us, measured)
        for second in range(0, 60, 10):
            reading = MeterReading(measured_unix_us=at_unix_us, power_kw=1.0, soc=0.5)
            meter = charger_event.MeterRead(1, (reading,), "1")
            payload = charger_event.encode(meter)
            yield Note(at_unix_us + second * _US, "meter.read", "GARAGE", payload, True)
        if minute % 2 == 0:
            yield _site(at_unix_us, _setpoint(draw))
        if minute % 15 == 0:
            closed = site_event.IntervalClosed(unix_s - 900, 900, import_kwh=0.3, export_kwh=0.0)
            yield _site(at_unix_us, closed)
        if minute % 60 == 0:
            adopted = site_event.PlanAdopted(_plan(unix_s), "15 minutes are over", 0.12)
            yield _site(at_unix_us, adopted)
    if day == 3:
        switched = home_event.CircuitSwitched("heating", False, "tier", _NEEDLE)
        yield Note(at_unix_us, "circuit.switched", "home", home_event.encode(switched))


def _site(at_unix_us: int, event: site_event.SiteEvent) -> Note:
    kind, telemetry = site_event.kind(event), site_event.is_telemetry(event)
    return Note(at_unix_us, kind, site_event.SUBJECT, site_event.encode(event), telemetry)


def _setpoint(draw: random.Random) -> site_event.SetpointDecided:
    power_kw, following = draw.uniform(-4.0, 11.0), draw.random() < 0.8
    return site_event.SetpointDecided(
        "GARAGE", 1, "ID.4", power_kw, power_kw, 120, draw.choice(_REASONS), following=following
    )


def _plan(unix_s: int) -> LivePlan:
    edges, series = tuple(unix_s + 900 * step for step in range(145)), (1.234,) * 144
    car = CarPlan("ID.4", series, (40.0,) * 145, series)
    return LivePlan(
        unix_s, edges, "EUR", series, series, series, series, series, edges[-1], 3.2, (car,)
    )


def _snapshot() -> site_event.SiteSnapshot:
    """A state with sixty days of load and sun."""
    state = SiteState()
    for quarter in range(60 * 96):
        state.history.add(int(_BEGIN.timestamp()) + 900 * quarter, 0.4, 0.2)
    return site_event.SiteSnapshot(STATE_VERSION, encode_state(state))
