"""The island machine by its stories."""

import itertools

import msgspec
import pytest

from parkwatt.domain.home.event import IslandMoved, decode, encode
from parkwatt.domain.home.gateway import GatewayAbilities
from parkwatt.home.grid_code import GRID_CODES
from parkwatt.home.island import IslandInputs, IslandSettings, IslandState, step
from tests.home.island.home import FULL, START, US, Home


def islanded() -> Home:
    """A home in an outage, fed by its source."""
    home = Home()
    home.run(10)
    home.grid_pu = 0.0
    home.run(10)
    assert home.phase == "islanded"
    assert home.live
    return home


def test_an_outage_is_bridged_within_seconds() -> None:
    home = Home()
    home.run(10)
    home.grid_pu, began = 0.0, home.now
    home.run(10)
    assert home.phases == [
        *("grid", "outage_suspected", "outage_confirmed", "opening", "islanding", "islanded"),
    ]
    assert (home.moved_at[-1] - began) / US == 5.0
    actions = [action for _, action in home.asked]
    assert actions.index("open_grid_pole") < actions.index("close_bond")
    assert actions.index("close_bond") < actions.index("close_island_source")


def test_each_move_tells_what_was_read() -> None:
    home = islanded()
    for move in home.moves:
        assert "grid pole" in move.reason
        assert move.reading is not None
        assert decode(encode(move)) == move
    assert "gone for 2.0 s" in home.moves[1].reason


@pytest.mark.parametrize("dip_s", [1, 2])
def test_a_flicker_does_not_island(dip_s: int) -> None:
    home = Home()
    home.run(10)
    for _ in range(5):
        home.grid_pu = 0.0
        home.run(dip_s)
        home.grid_pu = 1.0
        home.run(3)
    assert set(home.phases) == {"grid", "outage_suspected"}
    assert home.asked == []


def test_a_sag_is_no_outage_and_no_grid_to_return_to() -> None:
    home = Home()
    home.run(10)
    home.grid_pu = 0.8
    home.run(60)
    assert home.phases == ["grid"]
    home.grid_pu = 0.0
    home.run(10)
    home.grid_pu = 0.8
    home.run(1000)
    assert home.phase == "grid_seen"
    assert home.live


def test_no_power_is_no_outage() -> None:
    """Thread A4: a grid of 0 W is a grid; a reading has no power to take it from."""
    home = Home()
    home.run(3600)
    assert home.phases == ["grid"]


def test_the_grid_returns_after_the_delay_with_a_dead_home_between() -> None:
    home = islanded()
    home.grid_pu = 1.0
    returned = home.now
    home.run(299)
    assert home.phase == "qualifying"
    assert home.live
    home.run(10)
    assert home.phase == "grid"
    assert home.live
    assert home.bond == "open"
    close_at = next(at for at, action in home.asked if action == "close_grid_pole")
    back_at = home.moved_at[-2]
    assert back_at - returned == 300 * US
    opened = [at for at, action in home.asked if action == "open_island_source" and at >= back_at]
    assert close_at - opened[0] >= US


def test_return_with_a_gap_of_ten_seconds() -> None:
    """Thread A2: the grid returned, was gone again for 10 s, and returned."""
    home = islanded()
    home.grid_pu = 1.0
    home.run(200)
    home.grid_pu = 0.0
    home.run(10)
    home.grid_pu = 1.0
    again = home.now
    home.run(299)
    assert home.phase == "qualifying"
    assert home.live
    home.run(20)
    assert home.phase == "grid"
    assert home.moved_at[-2] - again == 300 * US


def test_a_grid_that_flickers_during_the_transfer_back() -> None:
    home = islanded()
    home.grid_pu = 1.0
    home.run(301)
    assert home.phase == "transferring_back"
    home.grid_pu = 0.0
    home.run(10)
    assert home.phase == "islanded"
    assert home.live
    assert home.pole == "open"


def test_a_pole_that_does_not_open_keeps_the_source_open() -> None:
    home = Home(pole_sticks=True)
    home.run(10)
    home.grid_pu = 0.0
    home.run(60)
    assert "close_island_source" not in {action for _, action in home.asked}
    assert "fault" in home.phases
    assert "did not open within 5 s" in next(m.reason for m in home.moves if m.to_phase == "fault")
    home.pole_sticks = False
    home.run(1300)
    assert home.phase == "islanded"


def test_a_pole_that_does_not_close_again_leaves_the_home_lit() -> None:
    home = islanded()
    home.pole_sticks = True
    home.grid_pu = 1.0
    home.run(340)
    assert "return_failed" in {move.because for move in home.moves}
    assert home.live
    assert "did not close" in home.alarm
    home.pole_sticks = False
    home.run(400)
    assert home.phase == "grid"
    assert home.alarm == ""


def test_a_source_that_does_not_open_keeps_the_grid_pole_open() -> None:
    home = islanded()
    home.source_sticks = True
    home.grid_pu = 1.0
    home.run(400)
    assert home.phase == "fault"
    assert "close_grid_pole" not in {action for _, action in home.asked}
    home.source_sticks = False
    home.run(400)
    assert home.phase == "grid"


def test_a_pole_that_closes_by_itself_opens_the_source_at_once() -> None:
    home = islanded()
    home.pole = "closed"
    home.run(1)
    assert home.phase == "fault"
    assert home.source == "open"
    assert home.alarm


def test_a_contact_that_chatters() -> None:
    home = islanded()
    for second in range(20):
        home.told_pole = "closed" if second % 2 else "open"
        home.run(1)
    home.told_pole = None
    assert home.source == "open"
    home.run(1300)
    assert home.phase == "islanded"


def test_a_contact_that_lies_is_told_by_the_grid_it_brings_back() -> None:
    home = Home()
    home.run(10)
    home.grid_pu, home.pole_sticks, home.told_pole = 0.0, True, "open"
    home.run(3000)
    assert [move.because for move in home.moves].count("backfeed") == 2
    assert home.source == "open"
    assert "grid pole checked" in home.alarm
    home.pole_sticks, home.told_pole = False, None
    home.asks = "island"
    home.run(20)
    assert home.phase == "islanded"


def test_a_grid_that_returns_by_chance_just_then_is_not_held_against_the_pole() -> None:
    home = Home()
    home.run(10)
    home.grid_pu = 0.0
    home.run(5)
    home.grid_pu = 1.0
    home.run(60)
    assert "backfeed" in {move.because for move in home.moves}
    assert home.live
    assert home.state.suspicions == 0
    home.run(400)
    assert home.phase == "grid"


def test_a_silent_gateway_ends_with_the_source_open() -> None:
    home = islanded()
    home.silent = True
    home.run(30)
    assert home.phase == "fault"
    assert home.asked[-1][1] == "open_island_source"
    last_closed = max(at for at, action in home.asked if action == "close_island_source")
    assert home.reading is not None
    assert last_closed - home.reading.measured_unix_us <= 5 * US
    home.silent, home.source = False, "open"
    home.run(60)
    assert home.phase == "islanded"


def test_a_gateway_that_does_not_tell_a_contact_is_not_guessed_at() -> None:
    home = Home()
    home.run(5)
    reading = msgspec.structs.replace(home.read(), grid_voltage_pu=(0.0,), grid_pole=None)
    state = home.state
    for second in range(60):
        at = home.now + second * US
        inputs = IslandInputs(
            reading=msgspec.structs.replace(reading, measured_unix_us=at), source_ready=True
        )
        result = step(state, inputs, home.settings, at)
        state = result.state
        assert {request.action for request in result.requests} <= {"open_island_source"}
    assert state.phase == "fault"
    assert "does not tell the grid pole" in result.alarm


def test_a_gateways_own_fault() -> None:
    home = islanded()
    home.fault = "relay welded"
    home.run(2)
    assert home.phase == "fault"
    assert home.source == "open"
    assert "relay welded" in home.alarm
    home.fault = ""
    home.run(60)
    assert home.phase == "islanded"


def test_an_empty_source_waits_and_starts_when_it_has_energy() -> None:
    home = islanded()
    home.ready = False
    home.run(1800)
    assert home.phase == "restart_wait"
    assert home.source == "open"
    home.ready = True
    home.run(10)
    assert home.phase == "islanded"


def test_a_source_that_trips_is_tried_with_growing_waits() -> None:
    home = islanded()
    tries = []
    until = home.now + 6 * 3600 * US
    while home.now < until:
        if home.phase == "islanded":
            tries.append(home.now)
            home.source = "open"
        home.run(1)
    waits = [(after - before) / US for before, after in itertools.pairwise(tries)]
    assert [round(wait_s, -1) for wait_s in waits[:5]] == [30, 600, 1200, 2400, 7200]


def test_a_bond_that_opens_ends_the_island() -> None:
    home = islanded()
    home.settings = IslandSettings(
        grid_code=GRID_CODES["ieee1547-2018"], abilities=FULL, repeat_s=2.0
    )
    for _ in range(10):
        home.bond = "open"
        home.run(1)
    assert "fault" in home.phases


def test_an_off_grid_test_goes_and_comes_back() -> None:
    home = Home()
    home.run(301)
    home.test_until = home.now + 300 * US
    home.run(290)
    assert home.phase == "test"
    assert home.source == "closed"
    home.run(30)
    assert home.phase == "grid"
    assert home.phases.count("test") == 1


def test_an_off_grid_test_whose_island_fails_ends_at_once() -> None:
    home = Home()
    home.run(301)
    home.test_until = home.now + 3600 * US
    home.run(60)
    assert home.phase == "test"
    home.source = "open"
    home.run(10)
    assert home.phase == "grid"
    home.run(2000)
    assert home.phase == "grid"


def test_a_test_becomes_an_outage_where_the_grid_fails() -> None:
    home = Home()
    home.run(301)
    home.test_until = home.now + 60 * US
    home.run(30)
    home.grid_pu = 0.0
    home.run(100)
    assert home.phase == "islanded"


def test_a_test_is_refused_where_the_grid_would_not_take_the_home_back() -> None:
    home = Home()
    home.run(10)
    home.test_until = home.now + 60 * US
    home.run(30)
    assert home.phases == ["grid"]
    assert [refused.action for refused in home.refusals()] == ["test"]


def test_a_person_has_the_island_and_keeps_it() -> None:
    home = Home()
    home.run(400)
    home.asks = "island"
    home.run(2000)
    assert home.phase == "islanded"
    home.asks = "none"
    home.run(20)
    assert home.phase == "grid"


def test_what_a_person_cannot_have_is_refused_with_a_reason_once() -> None:
    home = islanded()
    home.asks = "grid"
    home.run(30)
    assert home.phase == "islanded"
    (refused,) = home.refusals()
    assert "unknown; then 300 s" in refused.reason


def test_a_switch_that_transfers_itself_is_only_watched() -> None:
    able = GatewayAbilities(transfers_itself=True)
    home = Home(settings=IslandSettings(grid_code=GRID_CODES["ieee1547-2018"], abilities=able))
    home.run(10)
    home.grid_pu = 0.0
    home.run(3)
    assert home.phase == "outage_confirmed"
    home.pole, home.source = "open", "closed"
    home.run(3)
    assert home.phase == "islanded"
    home.asks = "grid"
    home.grid_pu = 1.0
    home.run(3)
    assert home.phase == "qualifying"
    home.pole, home.source = "closed", "open"
    home.run(3)
    assert home.phase == "grid"
    home.silent = True
    home.run(30)
    assert home.phase == "fault"
    assert home.asked == []
    assert "only watches" in home.refusals()[0].reason


@pytest.mark.parametrize("second", range(14))
@pytest.mark.parametrize("down_s", [1, 8, 60])
def test_a_kill_at_any_second_of_the_way_out(second: int, down_s: int) -> None:
    home = Home()
    home.run(10)
    home.grid_pu = 0.0
    home.run(second)
    home.kill(down_s)
    home.run(20)
    assert home.phase == "islanded"
    assert home.live
    assert "fault" not in home.phases, "no pole is blamed for the time that nobody looked"


@pytest.mark.parametrize("second", range(296, 312))
@pytest.mark.parametrize("down_s", [1, 8, 60])
def test_a_kill_at_any_second_of_the_way_back(second: int, down_s: int) -> None:
    home = islanded()
    home.grid_pu = 1.0
    home.run(second)
    home.kill(down_s)
    home.run(60)
    assert home.live
    home.run(400)
    assert home.phase == "grid"


def test_a_restart_in_an_island_does_not_darken_it() -> None:
    home = islanded()
    home.run(60)
    home.kill(5)
    home.run(60)
    assert home.phases[-1] == "islanded"
    assert len(home.phases) == 6


def test_a_start_without_a_journal_in_an_island_keeps_it() -> None:
    home = islanded()
    home.moves, home.moved_at = [], []
    home.kill()
    home.run(30)
    assert home.phase == "islanded"
    assert home.live


def test_a_clock_that_jumps_does_not_shorten_the_delay() -> None:
    home = islanded()
    home.grid_pu = 1.0
    home.run(100)
    home.now += 86_400 * US
    home.run(295)
    assert home.phase == "qualifying"
    home.now -= 40_000 * US
    home.run(295)
    assert home.phase == "qualifying"
    home.run(30)
    assert home.phase == "grid"


def test_a_gateway_with_a_word_of_its_own() -> None:
    settings = IslandSettings(grid_code=GRID_CODES["ieee1547-2018"])
    state, phases = IslandState(), []
    reading = Home().read()
    for second in range(320):
        at = START + second * US
        told = msgspec.structs.replace(
            reading,
            measured_unix_us=at,
            grid_voltage_pu=None,
            grid_frequency_hz=None,
            grid_present=True,
            grid_pole="open",
            island_source="closed" if state.phase != "transferring_back" else "open",
        )
        result = step(state, IslandInputs(reading=told, source_ready=True), settings, at)
        state = result.state
        phases += [event.to_phase for event in result.events if isinstance(event, IslandMoved)]
        assert result.grid == "present"
    assert phases[:4] == ["islanded", "grid_seen", "qualifying", "transferring_back"]


def test_a_step_leaves_its_state_as_it_was() -> None:
    home = islanded()
    before = msgspec.json.encode(home.state)
    home.grid_pu = 1.0
    inputs = IslandInputs(reading=home.read(), source_ready=True)
    result = step(home.state, inputs, home.settings, home.now)
    assert msgspec.json.encode(home.state) == before
    assert msgspec.json.encode(result.state) != before
    again = msgspec.json.decode(msgspec.json.encode(result.state), type=IslandState)
    assert again == result.state
