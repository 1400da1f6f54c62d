"""Load shedding by story: the grid fails, the kettle is too much, energy is short, somebody decides, the grid is back."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.event import CircuitSwitched
from parkwatt.home.shedding import Mode, SheddingInputs, SheddingSettings, SheddingState, step
from tests.home.shedding.house import BEGIN_UNIX_US, SETTINGS, US, House, Told, circuit

FRIDGE = circuit("fridge", "must_have", 0.2, inrush_kw=1.2)
OXYGEN = circuit("oxygen", "must_have", 0.4, medical=True)
LIGHT = circuit("light", "must_have", 0.3)
OVEN = circuit("oven", "nice_to_have", 3.0)
HEATER = circuit("heater", "nice_to_have", 4.0)
DRYER = circuit("dryer", "not_needed", 2.5)
POOL = circuit("pool", "not_needed", 1.1)
ALL = (FRIDGE, OXYGEN, LIGHT, OVEN, HEATER, DRYER, POOL)


def test_what_is_not_needed_goes_off_at_once() -> None:
    house = House(ALL)
    house.step()
    assert house.are_on() == {"fridge", "oxygen", "light", "oven", "heater"}
    words = {event.circuit_id: event.reason for _, event in house.events}
    assert words == dict.fromkeys(["dryer", "pool"], "it is not needed while the grid is gone")


def test_with_the_grid_there_nothing_is_touched() -> None:
    house = House(ALL, mode="grid", on={"dryer": False})
    house.live(1000)
    assert house.commands == 0


def test_before_the_source_starts_only_what_it_can_start_at_one_blow_stays_on() -> None:
    settings = SheddingSettings(continuous_kw=5.0, surge_kw=6.0)
    house = House(ALL, settings=settings, mode="outage")
    house.step()
    assert house.are_on() == {"fridge", "oxygen", "light", "oven"}
    house = House((OVEN, HEATER, FRIDGE), settings=settings, mode="outage")
    house.step()
    assert house.are_on() == {"fridge", "oven"}
    house.mode = "islanded"
    house.draws_kw["oven"] = 0.5
    house.live(30)
    assert house.are_on() == {"fridge", "oven", "heater"}, "what waited for the start is on again"


def test_an_overload_ends_within_seconds_by_the_fewest_and_least_important() -> None:
    house = House(ALL)
    house.live(10)
    house.draws_kw["heater"] = 6.5
    assert house.island_kw > SETTINGS.continuous_kw
    house.live(6)
    assert house.are_on() == {"fridge", "oxygen", "light", "heater"}, "the oven suffices"
    assert "10.4 kW, 9.6 kW is what the inverter gives" in house.events[-1][1].reason


def test_beyond_the_surge_power_it_is_shed_in_the_same_step() -> None:
    house = House(ALL)
    house.live(10)
    house.draws_kw["heater"] = 9.0
    house.step(0.5)
    assert "heater" not in house.are_on() or "oven" not in house.are_on()
    assert house.island_kw <= SETTINGS.continuous_kw


def test_what_overloaded_waits_twice_as_long_each_time() -> None:
    house = House((FRIDGE, OVEN), settings=SheddingSettings(continuous_kw=4.0, surge_kw=6.0))
    house.live(4)
    house.draws_kw["oven"] = 4.5
    offs = []
    for _ in range(4 * 3600 // 2):
        house.step()
        house.draws_kw["oven"] = 4.5
        offs = [at for at, event in house.events if not event.on]
    waits_s = [(later - earlier) / US for earlier, later in pairwise(offs)]
    assert waits_s[:4] == pytest.approx([304, 604, 1204, 2404], abs=8)


def test_what_must_be_on_goes_only_when_nothing_else_is_left_and_a_medical_one_never() -> None:
    settings = SheddingSettings(continuous_kw=1.0, surge_kw=2.0)
    house = House((OXYGEN, FRIDGE, LIGHT), settings=settings)
    house.draws_kw = {"oxygen": 0.9, "light": 0.6}
    house.live(10)
    assert house.are_on() == {"oxygen"} or house.are_on() == {"oxygen", "fridge"}
    house.draws_kw["oxygen"] = 3.0
    house.live(600)
    assert "oxygen" in house.are_on()


def test_room_is_made_for_what_the_house_must_have() -> None:
    settings = SheddingSettings(continuous_kw=4.0, surge_kw=6.0)
    pump = circuit("pump", "must_have", 1.5, inrush_kw=2.5)
    house = House((pump, OVEN), settings=settings, on={"pump": False})
    house.state.circuit("pump").off = True
    house.live(30)
    assert "pump" in house.are_on()
    assert "makes room for the pump" in house.events[0][1].reason


def test_energy_decides_for_what_is_not_a_must_and_lets_it_back_calmly() -> None:
    short = Told(allowed=False, reason="0.8 h less than until 07:00")
    house = House((FRIDGE, OVEN), verdicts={"oven": short})
    house.live(10)
    assert house.are_on() == {"fridge"}
    assert house.events[0][1].reason == "0.8 h less than until 07:00"
    house.verdicts = {"oven": Told()}
    house.live(200)
    assert house.are_on() == {"fridge"}
    house.live(150)
    assert house.are_on() == {"fridge", "oven"}


def test_a_load_that_would_break_the_reserve_asks_first() -> None:
    asks = Told(allowed=False, asks=True, reason="it takes 3.4 h of the night")
    house = House((FRIDGE, DRYER), verdicts={"dryer": asks})
    done = house.live(400)
    assert house.are_on() == {"fridge"}
    (question,) = done.questions
    assert question.text == "Shall the dryer be on? it takes 3.4 h of the night"
    house.choices["dryer"] = "keep_on"
    done = house.live(20)
    assert house.are_on() == {"fridge", "dryer"}
    assert done.questions == ()


def test_a_person_may_keep_off_even_what_is_medical_but_that_is_not_parkwatts_doing() -> None:
    house = House((OXYGEN, LIGHT), choices={"oxygen": "keep_off", "light": "keep_off"})
    house.live(10)
    assert house.are_on() == {"oxygen"}


def test_a_switch_moved_by_hand_counts_as_a_choice() -> None:
    house = House((FRIDGE, DRYER))
    house.live(10)
    house.on["dryer"] = True
    house.live(100)
    assert house.choices == {"dryer": "keep_on"}
    assert "dryer" in house.are_on()


def test_what_was_off_before_stays_off() -> None:
    house = House((FRIDGE, OVEN, DRYER), on={"oven": False})
    house.live(600)
    assert house.are_on() == {"fridge"}
    house.mode = "grid"
    house.live(60)
    assert house.are_on() == {"fridge", "dryer"}


def test_when_the_grid_is_back_all_is_on_again_in_order_and_apart() -> None:
    house = House(ALL, verdicts={"oven": Told(allowed=False)})
    house.live(100)
    house.mode = "grid"
    house.events.clear()
    house.live(190)
    assert house.events == [], "a compressor among them rests for its least time"
    house.live(60)
    assert [event.circuit_id for _, event in house.events] == ["oven", "dryer", "pool"]
    times = [at for at, _ in house.events]
    assert all(later - earlier >= 10 * US for earlier, later in pairwise(times))
    assert house.state == SheddingState(admitted_unix_us=times[-1])


def test_a_restart_knows_what_it_had_switched_off() -> None:
    house = House(ALL)
    house.live(10)
    folded = SheddingState()
    for at, event in house.events:
        folded.apply(event, at)
    assert folded.off() == house.state.off() == {"dryer", "pool"}
    house.state, house.mode = folded, "grid"
    house.live(330)
    assert house.are_on() == {one.circuit_id for one in ALL}


def test_an_off_is_said_again_before_its_lease_is_over() -> None:
    house = House((FRIDGE, DRYER))
    house.step()
    said = house.commands
    house.live(140)
    assert house.commands == said
    house.live(20)
    assert house.commands == said + 1
    assert len(house.events) == 1, "nothing new happened"


def test_a_switch_that_does_not_obey_is_told_and_asked_now_and_then() -> None:
    house = House((FRIDGE, DRYER), stuck={"dryer"})
    done = house.live(30)
    assert done.troubles == ("the dryer was told to be off and is on",)
    house.live(600)
    assert 8 <= house.commands <= 13


def test_without_any_meter_rated_powers_count() -> None:
    settings = SheddingSettings(continuous_kw=4.0, surge_kw=6.0)
    house = House((FRIDGE, OVEN, HEATER), settings=settings, meter=False, reads=False)
    house.live(10)
    assert "heater" not in house.are_on()
    assert "oven" in house.are_on()


def test_a_clock_put_back_holds_nothing_up() -> None:
    house = House((FRIDGE, DRYER))
    house.live(10)
    house.now_unix_us = BEGIN_UNIX_US - 86_400 * US
    house.mode = "grid"
    house.live(10)
    assert "dryer" in house.are_on()


def test_a_step_for_forty_circuits_takes_less_than_some_milliseconds() -> None:
    many = [circuit(f"c{index}", "nice_to_have", 0.2) for index in range(40)]
    house = House(many)
    house.live(20)
    begun_s = time.perf_counter()
    for _ in range(100):
        house.step()
    assert (time.perf_counter() - begun_s) / 100 < 0.02


def test_an_on_that_got_lost_is_said_again_until_the_switch_shows_it() -> None:
    house = House((FRIDGE, OVEN), verdicts={"oven": Told(allowed=False)})
    house.live(400)
    house.mode, house.stuck = "grid", {"oven"}
    done = house.live(30)
    assert "oven" not in house.are_on()
    assert done.troubles == ("the oven was told to be on and is off",)
    folded = SheddingState()
    for at, event in house.events:
        folded.apply(event, at)
    for state in (house.state, folded):
        again = House((FRIDGE, OVEN), mode="grid", on={"oven": False}, state=state)
        again.now_unix_us = house.now_unix_us
        assert again.live(70).troubles == ()
        assert again.are_on() == {"fridge", "oven"}


def test_a_switch_that_tells_nothing_is_told_to_be_on_for_some_minutes_and_no_longer() -> None:
    house = House((FRIDGE, DRYER), reads=False)
    house.live(400)
    house.mode, house.commands = "grid", 0
    house.live(3600)
    assert 2 <= house.commands <= 6
    assert house.state.circuits == {}


def test_what_a_person_switches_off_by_hand_after_it_came_on_stays_off() -> None:
    house = House((FRIDGE, DRYER))
    house.live(400)
    house.mode = "grid"
    house.live(30)
    assert "dryer" in house.are_on()
    house.on["dryer"] = False
    house.live(3600)
    assert house.are_on() == {"fridge"}


def test_what_comes_on_while_nothing_is_heard_of_it_is_not_a_persons_choice() -> None:
    house = House((FRIDGE, DRYER))
    house.live(60)
    house.reads = False
    house.live(360)
    house.on["dryer"] = True
    house.reads = True
    house.step()
    house.live(4)
    assert house.choices == {}
    assert house.are_on() == {"fridge"}


@pytest.mark.parametrize("meter", [False, True])
def test_what_was_switched_on_just_now_counts_before_any_meter_has_seen_it(*, meter: bool) -> None:
    pump = circuit("pump", "must_have", 3.0, inrush_kw=5.0)
    settings = SheddingSettings(continuous_kw=4.0, surge_kw=6.0)
    off = {"pump": False, "oven": False}
    house = House((pump, OVEN), settings=settings, on=off, meter=meter)
    house.behind_steps = house.meter_behind_steps = 6
    for key in off:
        house.state.circuit(key).off = True
    most_kw = 0.0
    for _ in range(60):
        house.step()
        most_kw = max(most_kw, house.island_kw)
    assert most_kw == pytest.approx(3.0)
    assert house.are_on() == {"pump"}


def test_what_was_switched_off_just_now_counts_no_more_though_no_meter_has_seen_that() -> None:
    trio = tuple(circuit(key, "nice_to_have", 2.0) for key in ("iron", "kettle", "toaster"))
    settings = SheddingSettings(continuous_kw=5.0, surge_kw=9.0)
    house = House(trio, settings=settings, behind_steps=3, meter_behind_steps=3)
    house.live(60)
    assert len(house.are_on()) == 2


def test_a_switch_that_says_off_while_its_meter_tells_power_counts_with_that() -> None:
    settings = SheddingSettings(continuous_kw=4.0, surge_kw=6.0)
    lies = CircuitReading("dryer", BEGIN_UNIX_US, on=False, power_kw=2.5)
    waits = CircuitReading("oven", BEGIN_UNIX_US, on=False, power_kw=0.0)
    state = SheddingState()
    state.circuit("oven").off = True
    inputs = SheddingInputs(
        mode="islanded", circuits=(OVEN, DRYER), readings={"dryer": lies, "oven": waits}
    )
    assert step(state, inputs, settings, BEGIN_UNIX_US).events == []
    quiet = SheddingInputs(mode="islanded", circuits=(OVEN,), readings={"oven": waits})
    (event,) = step(state, quiet, settings, BEGIN_UNIX_US).events
    assert isinstance(event, CircuitSwitched)
    assert event.on


def test_the_oven_waits_while_the_freezer_does() -> None:
    freezer = circuit("freezer", "must_have", 1.0)
    house = House((freezer, OVEN), settings=SheddingSettings(continuous_kw=3.5, surge_kw=6.0))
    house.live(10)
    house.draws_kw["freezer"] = 4.0
    house.live(8)
    assert house.are_on() == set()
    house.draws_kw["freezer"] = 1.0
    while "freezer" not in house.are_on():
        house.step()
        assert "oven" not in house.are_on()


def test_what_can_never_start_keeps_nothing_else_off() -> None:
    sauna = circuit("sauna", "must_have", 9.0)
    house = House((sauna, OVEN), settings=SheddingSettings(continuous_kw=4.0, surge_kw=6.0))
    house.live(700)
    assert house.are_on() == {"oven"}


def test_room_is_made_by_the_fewest() -> None:
    pump = circuit("pump", "must_have", 1.5, inrush_kw=2.5)
    radio = circuit("radio", "nice_to_have", 0.1)
    house = House(
        (pump, OVEN, radio),
        settings=SheddingSettings(continuous_kw=4.0, surge_kw=6.0),
        on={"pump": False},
    )
    house.state.circuit("pump").off = True
    house.live(30)
    assert house.are_on() == {"pump", "radio"}


def test_an_overload_of_yesterday_is_forgotten() -> None:
    house = House((FRIDGE, OVEN), settings=SheddingSettings(continuous_kw=4.0, surge_kw=6.0))
    for _ in range(5):
        house.live(3 * 3600, 10)
        house.draws_kw["oven"] = 4.5
        house.live(20)
        house.draws_kw["oven"] = 1.0
        assert "oven" not in house.are_on()
        house.live(320)
        assert "oven" in house.are_on()


def test_nobody_is_asked_about_a_circuit_that_has_no_switch() -> None:
    radio = circuit("radio", "nice_to_have", 0.1, switchable=False)
    house = House((radio,), verdicts={"radio": Told(allowed=False, asks=True, reason="it costs")})
    assert house.live(10).questions == ()


def test_what_a_person_wants_off_beyond_the_outage_stays_off_when_the_grid_is_back() -> None:
    house = House((FRIDGE, DRYER), choices={"dryer": "keep_off"})
    house.live(60)
    house.mode = "grid"
    house.live(3600)
    assert house.are_on() == {"fridge"}
    del house.choices["dryer"]
    house.live(30)
    assert house.are_on() == {"fridge", "dryer"}


def test_a_verdict_that_comes_and_goes_does_not_make_it_flicker() -> None:
    house = House((FRIDGE, OVEN))
    for _ in range(3600 // 2):
        house.verdicts = {"oven": Told(allowed="oven" not in house.are_on())}
        house.step()
    assert len(house.events) <= 8


@pytest.mark.parametrize("before", ["outage", "islanded"])
def test_what_is_not_needed_goes_off_at_once_even_where_the_energy_suffices(before: Mode) -> None:
    house = House((FRIDGE, DRYER), mode=before, verdicts={"dryer": Told()})
    house.step()
    assert house.are_on() == {"fridge"}
    house.mode = "islanded"
    house.live(320)
    assert house.are_on() == {"fridge", "dryer"}, "it is admitted like everything else"
