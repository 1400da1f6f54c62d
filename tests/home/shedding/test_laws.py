"""Laws of load shedding, whatever a house draws, whoever switches what, and whatever the energy says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.home.shedding import SheddingSettings
from parkwatt.home.shedding.state import OVERLOAD
from tests.home.shedding.house import US, House, Told, circuit

TIER_NAMES: tuple[Tier, ...] = ("must_have", "nice_to_have", "not_needed")
TIERS = st.sampled_from(TIER_NAMES)


@st.composite
def circuits(draw: st.DrawFn) -> tuple[Circuit, ...]:
    count = draw(st.integers(1, 8))
    found = []
    for index in range(count):
        power_kw = draw(st.floats(0.05, 6.0))
        found.append(
            circuit(
                f"c{index}",
                draw(TIERS),
                power_kw,
                inrush_kw=power_kw * draw(st.floats(1.0, 3.0)),
                medical=draw(st.booleans()) and index == 0,
                switchable=draw(st.integers(0, 5)) > 0,
                on_s_min=draw(st.sampled_from([0, 60])),
                off_s_min=draw(st.sampled_from([0, 300])),
            )
        )
    return tuple(found)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["draw", "verdict", "choice", "hand", "mode", "pass", "restart"]),
        st.integers(0, 7),
        st.floats(0.0, 1.0),
    ),
    max_size=40,
)


def _move(house: House, kind: str, index: int, value: float) -> None:
    one = house.circuits[index % len(house.circuits)]
    key = one.circuit_id
    if kind == "draw":
        house.draws_kw[key] = value * one.power_kw_rated
    elif kind == "verdict":
        house.verdicts = {**house.verdicts, key: Told(value > 0.5, 0.3 < value < 0.5)}
    elif kind == "choice":
        choices: list[Any] = ["keep_on", "keep_off", "automatic"]
        house.choices[key] = choices[int(value * 2.99)]
    elif kind == "hand":
        house.on[key] = value > 0.5
    elif kind == "mode":
        modes: list[Any] = ["grid", "outage", "islanded", "islanded"]
        house.mode = modes[int(value * 3.99)]
    elif kind == "restart":
        state = type(house.state)()
        for at, event in house.events:
            state.apply(event, at)
        house.state = state


@given(circuits(), MOVES, st.floats(1.0, 12.0))
def test_whatever_happens(
    found: tuple[Circuit, ...], moves: list[tuple[str, int, float]], continuous_kw: float
) -> None:
    settings = SheddingSettings(continuous_kw=continuous_kw, surge_kw=1.5 * continuous_kw)
    house = House(found, settings=settings)
    by_id = {one.circuit_id: one for one in found}
    admitted_unix_us: int | None = None
    shed: dict[str, tuple[int, str]] = {}
    for kind, index, value in moves:
        _move(house, kind, index, value)
        for _ in range(4 if kind != "pass" else 1 + int(150 * value)):
            running_kw, seen = house.island_kw, len(house.events)
            house.step(2.0)
            for at, event in house.events[seen:]:
                one = by_id[event.circuit_id]
                if not event.on:
                    shed[event.circuit_id] = at, event.because
                    assert not one.medical, "a medical circuit is never switched off"
                    assert one.switchable
                    continue
                if admitted_unix_us is not None:
                    assert at - admitted_unix_us >= settings.spacing_s * US, "one after another"
                admitted_unix_us = at
                off_unix_us, because = shed.get(event.circuit_id, (0, ""))
                rested = at - off_unix_us >= one.off_s_min * US
                assert rested or because == "start", "a compressor rests"
                if house.mode == "islanded":
                    assert running_kw + one.power_kw_rated <= continuous_kw + 1e-9
                    assert running_kw + one.inrush_kw <= settings.surge_kw + 1e-9


@given(circuits(), st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8), st.floats(0.5, 12.0))
def test_an_overload_is_over_within_seconds_or_nothing_is_left_to_shed(
    found: tuple[Circuit, ...], shares: list[float], continuous_kw: float
) -> None:
    settings = SheddingSettings(continuous_kw=continuous_kw, surge_kw=1.5 * continuous_kw)
    house = House(found, settings=settings)
    for one, share in zip(found, shares, strict=False):
        house.draws_kw[one.circuit_id] = share * one.power_kw_rated
    house.live(8)
    if house.island_kw > continuous_kw + 1e-9:
        left = [one for one in found if house.on[one.circuit_id] and house.power_kw(one) > 0]
        assert all(one.medical or not one.switchable for one in left)


@given(circuits(), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60))
def test_no_load_makes_it_flicker(found: tuple[Circuit, ...], shares: list[float]) -> None:
    house = House(found, settings=SheddingSettings(continuous_kw=3.0, surge_kw=5.0))
    for turn in range(1800):
        share = shares[turn % len(shares)]
        for one in found:
            house.draws_kw[one.circuit_id] = share * one.power_kw_rated
        house.step(2.0)
    counts: dict[str, int] = {}
    for _, event in house.events:
        counts[event.circuit_id] = counts.get(event.circuit_id, 0) + 1
    # Off, then waits of 300, 600, 1200, 2400 s within the hour: at most four offs and as many ons, and the start.
    assert max(counts.values(), default=0) <= 10


@given(circuits(), MOVES)
def test_when_the_grid_is_back_all_that_was_switched_off_is_on_again(
    found: tuple[Circuit, ...], moves: list[tuple[str, int, float]]
) -> None:
    house = House(found, settings=SheddingSettings(continuous_kw=4.0, surge_kw=6.0))
    for kind, index, value in moves:
        _move(house, kind, index, value)
        house.live(10)
    held = house.state.off()
    house.mode, house.choices = "grid", {}
    house.live(300 + 12.0 * (len(found) + 1))
    assert house.state.off() == frozenset()
    assert held <= house.are_on()


def _level(one: Circuit) -> int:
    return 0 if one.medical else 1 + TIER_NAMES.index(one.tier)


@given(
    circuits(),
    st.lists(st.lists(st.floats(0.0, 2.0), min_size=8, max_size=8), min_size=1, max_size=20),
    st.floats(1.0, 8.0),
)
def test_what_must_be_on_comes_first(
    found: tuple[Circuit, ...], turns: list[list[float]], continuous_kw: float
) -> None:
    """Unless it could not run even with all lesser circuits off, no lesser one takes the room of one that is held off."""
    settings = SheddingSettings(continuous_kw=continuous_kw, surge_kw=1.5 * continuous_kw)
    house = House(found, settings=settings)
    by_id = {one.circuit_id: one for one in found}
    lesser = [one for one in found if _level(one) > 1 and one.switchable and not one.medical]
    for shares in turns:
        for one, share in zip(found, shares, strict=False):
            house.draws_kw[one.circuit_id] = share * one.power_kw_rated
        for _ in range(100):
            running_kw, seen, held = house.island_kw, len(house.events), house.state.off()
            lesser_kw = sum(house.power_kw(other) for other in lesser)
            house.step()
            for _, event in house.events[seen:]:
                one = by_id[event.circuit_id]
                if event.on:
                    alone_kw = running_kw - lesser_kw
                    for key in held - {event.circuit_id}:
                        must = by_id[key]
                        could_run = alone_kw + must.power_kw_rated <= 0.95 * settings.continuous_kw
                        starts = alone_kw + must.inrush_kw <= 0.95 * settings.surge_kw
                        if _level(must) <= 1 < _level(one) and could_run and starts:
                            together_kw = one.power_kw_rated + must.power_kw_rated
                            assert running_kw + together_kw <= continuous_kw + 1e-9
                elif _level(one) == 1 and event.because == OVERLOAD:
                    assert all(house.power_kw(other) == 0 for other in lesser)
