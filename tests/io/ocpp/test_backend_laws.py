"""Whatever chargers, links and crashes do: what was acknowledged is in the journal once, and the journal tells all there is."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.charger.command import Approved, ReleasePower, SetPower
from parkwatt.domain.charger.event import TransactionReported
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.fold import Fold
from parkwatt.io.ocpp.ladder import Ladder
from parkwatt.io.ocpp.replay import Replay
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.made_backend import SETTINGS, STEP_WH, Charger, Site

_CHARGERS = 3
_who = st.integers(0, _CHARGERS - 1)
_powers_kw = st.sampled_from([-7.0, 0.0, 3.7, 11.0])
_deeds = st.one_of(
    *[st.tuples(st.just("speak"), _who)] * 5,
    *[st.tuples(st.just("report"), _who)] * 3,
    st.tuples(st.just("set"), _who, _powers_kw, st.sampled_from([20, 300])),
    st.tuples(st.just("release"), _who),
    st.tuples(st.just("end"), _who),
    st.tuples(st.just("drop"), _who),
    st.tuples(st.just("connect"), _who, st.booleans()),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 2.0, 31.0])),
    st.just(("settle",)),
    st.just(("crash",)),
)


class _Story:
    """Chargers that begin a transaction whenever they have none, and a back end that crashes now and then."""

    def __init__(self, site: Site) -> None:
        self.site = site
        versions = (Version.V201, Version.V21, Version.V201)
        self.chargers = [
            Charger(site, f"C{place}", version, obeys=place != 2)
            for place, version in enumerate(versions)
        ]
        self.energy_wh: dict[str, int] = Counter()
        for charger in self.chargers:
            charger.connect()

    def report(self, charger: Charger) -> None:
        if charger.transaction_id:
            charger.update()
            self.energy_wh[charger.transaction_id] += STEP_WH
        else:
            charger.begin()

    async def do(self, name: str, *values: object) -> None:
        if name == "pass":
            self.site.pass_s(values[0])  # type: ignore[arg-type]
        elif name == "settle":
            await self.site.settle()
        elif name == "crash":
            for charger in self.chargers:
                charger.cut_off()
            self.site.crash()
            self.site.start()
        else:
            self._one(self.chargers[values[0]], name, *values[1:])  # type: ignore[call-overload]

    def _one(self, charger: Charger, name: str, *values: object) -> None:
        backend = self.site.backend
        if name == "speak":
            charger.speak()
        elif name == "report":
            self.report(charger)
        elif name == "end" and charger.transaction_id:
            charger.end()
        elif name == "drop":
            charger.drop()
        elif name == "connect" and charger.outlet is None:
            charger.connect(boot=bool(values[0]))
        elif name == "set":
            command = SetPower(1, float(str(values[0])), int(str(values[1])), "a test")
            backend.command(Approved(charger.charger_id, command))
        elif name == "release":
            backend.command(Approved(charger.charger_id, ReleasePower(1, "enough")))

    async def finish(self) -> None:
        """Every charger gets rid of what it has to report."""
        for charger in self.chargers:
            if charger.outlet is None:
                charger.connect()
            for _ in range(4 * len(charger.queue) + 40):
                if not (charger.queue or charger.replies):
                    break
                charger.speak()
                await self.site.settle()
            assert not charger.queue
        await self.site.settle()


def _known(state: ChargerState) -> bytes:
    """The state, without what only a link's every frame tells."""
    state = copy.copy(state)
    state.seen_unix_us = None
    return msgspec.json.encode(state)


def _check(story: _Story) -> None:
    replay = Replay(lambda _: SETTINGS)
    folds: dict[str, Fold] = {}
    for entry in story.site.entries():
        replayed = replay.take(entry)
        assert replayed is not None
        assert replayed.same is not False, (replayed.event, replayed.instead)
        fold = folds.setdefault(entry.subject, Fold(ChargerState(entry.subject), Ladder(SETTINGS)))
        fold.take(replayed.event, entry.recorded_unix_us)
    for charger in story.chargers:
        station = story.site.backend.station(charger.charger_id)
        assert station is not None
        heard = Counter(
            (event.transaction_id, event.seq_no)
            for event in story.site.events(charger.charger_id)
            if isinstance(event, TransactionReported)
        )
        assert len(charger.acknowledged) == len(heard)
        assert set(heard.values()) <= {1}
        for transaction in station.state.transactions.values():
            expected_kwh = story.energy_wh[transaction.transaction_id] / 1000.0
            assert transaction.imported_kwh == pytest.approx(expected_kwh, abs=1e-3)
        fold = folds[charger.charger_id]
        assert _known(fold.state) == _known(station.state)
        assert fold.ladder.export() == station.ladder.export()


async def _run(directory: Path, deeds: list[tuple[object, ...]], entries_a_snapshot: int) -> None:
    site = Site(directory, entries_a_snapshot=entries_a_snapshot)
    try:
        story = _Story(site)
        for name, *values in deeds:
            await story.do(str(name), *values)
        await story.finish()
        _check(story)
        assert not site.faults
    finally:
        site.journal.close()


@settings(deadline=None)
@given(st.lists(_deeds, min_size=10, max_size=60), st.sampled_from([1, 7, 1 << 40]))
def test_what_was_acknowledged_is_kept_once_and_decided_alike(
    deeds: list[tuple[object, ...]], entries_a_snapshot: int
) -> None:
    with TemporaryDirectory() as directory:
        asyncio.run(_run(Path(directory), deeds, entries_a_snapshot))
