"""How much is in a battery: counted on by registers, doubted where a message contradicts what was counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.event import SocTold
from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.site.live.estimate import Tracker, estimate, registers_kwh
from tests.site.live.world import BEGIN_UNIX_S, US, storage

STORAGE = storage()
DAY_S = 86_400.0
_NOW = BEGIN_UNIX_S * US


def _seen(soc: float | None = 0.5, at_s: float = 0.0, **changes: float | None) -> ChargerSeen:
    seen = ChargerSeen(
        "CP-1",
        1,
        connected=True,
        plugged_in=True,
        transaction_id="T",
        soc=soc,
        soc_unix_us=None if soc is None else _NOW + round(at_s * US),
        moved_since_soc_kwh=0.0,
        import_kwh=100.0,
        export_kwh=20.0,
    )
    return replace(seen, **changes)  # type: ignore[arg-type]


def test_a_state_of_charge_is_energy() -> None:
    found = estimate(STORAGE, _seen(0.5), None)
    assert found is not None
    assert found.energy_kwh == pytest.approx(30.0)
    assert found.error_kwh == pytest.approx(0.3)
    assert (found.told_unix_us, found.doubted) == (_NOW, False)


def test_what_moved_since_is_counted_with_its_losses() -> None:
    charged = estimate(STORAGE, _seen(0.5, moved_since_soc_kwh=10.0), None)
    given_back = estimate(STORAGE, _seen(0.5, moved_since_soc_kwh=-9.3), None)
    assert charged is not None
    assert given_back is not None
    assert charged.energy_kwh == pytest.approx(39.3)
    assert charged.error_kwh == pytest.approx(0.3 + 0.4)
    assert given_back.energy_kwh == pytest.approx(20.0)


@given(soc=st.floats(0.0, 1.0), moved_kwh=st.floats(-100.0, 100.0))
def test_an_estimate_lies_within_the_battery(soc: float, moved_kwh: float) -> None:
    found = estimate(STORAGE, _seen(soc, moved_since_soc_kwh=moved_kwh), None)
    assert found is not None
    assert 0.0 <= found.energy_kwh <= 60.0
    assert found.error_kwh > 0.0


@given(first_kwh=st.floats(0.0, 20.0), more_kwh=st.floats(0.0, 20.0))
def test_more_charged_is_more_in_the_battery(first_kwh: float, more_kwh: float) -> None:
    less, more = (
        estimate(STORAGE, _seen(0.3, moved_since_soc_kwh=moved), None)
        for moved in (first_kwh, first_kwh + more_kwh)
    )
    assert less is not None
    assert more is not None
    assert more.energy_kwh >= less.energy_kwh


def test_nobody_tells_it_is_not_zero() -> None:
    assert estimate(STORAGE, _seen(None), None) is None
    assert registers_kwh(_seen(import_kwh=None, export_kwh=None)) is None
    assert registers_kwh(_seen(export_kwh=None)) == 100.0


def test_what_a_driver_tells_counts_until_the_charger_tells_something_newer() -> None:
    told = SocTold("car", 0.9, _NOW + 10 * US, "api", moved_kwh=78.0)
    found = estimate(STORAGE, _seen(0.5), told)
    assert found is not None
    # 80 by the registers now, 78 when it was told.
    assert found.energy_kwh == pytest.approx(54.0 + 2.0 * 0.93)
    newer = estimate(STORAGE, _seen(0.5, at_s=20.0), told)
    assert newer is not None
    assert newer.energy_kwh == pytest.approx(30.0)
    without = estimate(STORAGE, _seen(None), told)
    assert without is not None
    assert without.energy_kwh == found.energy_kwh


def test_a_state_of_charge_that_is_too_old_is_none() -> None:
    tracker = Tracker()
    fresh = tracker.follow(STORAGE, _seen(), None, _NOW + 3600 * US, DAY_S)
    assert fresh is not None
    assert tracker.follow(STORAGE, _seen(), None, _NOW + 25 * 3600 * US, DAY_S) is None
    assert tracker.last is None


def test_a_jump_is_doubted_then_believed_after_three_minutes() -> None:
    tracker = Tracker()
    before = tracker.follow(STORAGE, _seen(0.5), None, _NOW, DAY_S)
    assert before is not None
    for second in range(1, 181):
        doubted = tracker.follow(STORAGE, _seen(0.9, second), None, _NOW + second * US, DAY_S)
        assert doubted is not None
        assert doubted.doubted
        assert doubted.energy_kwh == pytest.approx(30.0)
        # The truth may be what was told.
        assert doubted.energy_kwh + doubted.error_kwh >= 54.0
    believed = tracker.follow(STORAGE, _seen(0.9, 182), None, _NOW + 182 * US, DAY_S)
    assert believed is not None
    assert not believed.doubted
    assert believed.energy_kwh == pytest.approx(54.0)


def test_a_jump_down_is_doubted_so_that_the_floor_is_safe() -> None:
    tracker = Tracker()
    tracker.follow(STORAGE, _seen(0.5), None, _NOW, DAY_S)
    doubted = tracker.follow(STORAGE, _seen(0.2, 1), None, _NOW + US, DAY_S)
    assert doubted is not None
    # What it holds at least is not above what was told.
    assert doubted.energy_kwh - doubted.error_kwh <= 12.0


def test_one_false_message_leaves_nothing_behind() -> None:
    tracker = Tracker()
    tracker.follow(STORAGE, _seen(0.5), None, _NOW, DAY_S)
    tracker.follow(STORAGE, _seen(0.0, 1), None, _NOW + US, DAY_S)
    again = tracker.follow(STORAGE, _seen(0.51, 2), None, _NOW + 2 * US, DAY_S)
    assert again is not None
    assert not again.doubted
    # A later jump is doubted for its own three minutes.
    tracker.follow(STORAGE, _seen(0.0, 170), None, _NOW + 170 * US, DAY_S)
    later = tracker.follow(STORAGE, _seen(0.0, 200), None, _NOW + 200 * US, DAY_S)
    assert later is not None
    assert later.doubted


def test_what_flows_while_a_message_is_doubted_is_counted() -> None:
    tracker = Tracker()
    tracker.follow(STORAGE, _seen(0.5), None, _NOW, DAY_S)
    seen = _seen(0.9, 60, import_kwh=101.0)
    doubted = tracker.follow(STORAGE, seen, None, _NOW + 60 * US, DAY_S)
    assert doubted is not None
    assert doubted.energy_kwh == pytest.approx(30.93)


@given(
    st.lists(
        st.tuples(st.floats(-0.05, 0.05), st.floats(1.0, 60.0)),
        min_size=1,
        max_size=40,
    )
)
def test_an_honest_car_is_never_doubted(moves: list[tuple[float, float]]) -> None:
    tracker, energy_kwh = Tracker(), 30.0
    at_s, import_kwh, export_kwh = 0.0, 0.0, 0.0
    for moved_kwh, passed_s in moves:
        at_s += passed_s
        if moved_kwh > 0:
            import_kwh += moved_kwh
            energy_kwh += 0.93 * moved_kwh
        else:
            export_kwh -= moved_kwh
            energy_kwh += moved_kwh / 0.93
        seen = _seen(
            round(energy_kwh / 60.0, 2), at_s, import_kwh=import_kwh, export_kwh=export_kwh
        )
        found = tracker.follow(STORAGE, seen, None, _NOW + round(at_s * US), DAY_S)
        assert found is not None
        assert not found.doubted
        assert abs(found.energy_kwh - energy_kwh) <= found.error_kwh + 1e-9
