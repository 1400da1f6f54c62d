"""Whatever a gateway tells, in whatever order and at whatever times: what is asked for is safe by the reading at hand."""

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.event import IslandMoved
from parkwatt.domain.home.gateway import GatewayAbilities, GatewayReading
from parkwatt.home.grid_code import GRID_CODES
from parkwatt.home.island import IslandInputs, IslandSettings, IslandState, step
from parkwatt.home.island.table import PHASES

US = 1_000_000
contacts = st.sampled_from(["open", "closed", "open", "closed", None])
volts = st.one_of(st.none(), st.sampled_from([0.0, 0.05, 0.8, 0.95, 1.0, 1.3]))
readings = st.builds(
    GatewayReading,
    measured_unix_us=st.integers(-20, 2),
    grid_voltage_pu=st.one_of(st.none(), st.tuples(volts.filter(lambda one: one is not None))),
    grid_frequency_hz=st.one_of(st.none(), st.sampled_from([0.0, 59.0, 60.0, 63.0])),
    grid_present=st.one_of(st.none(), st.booleans()),
    grid_pole=contacts,
    island_source=contacts,
    bond=contacts,
    output_voltage_pu=volts,
    fault=st.sampled_from(["", "", "", "stuck"]),
)
seconds = st.tuples(
    st.sampled_from([0, 1, 1, 1, 2, 9, 400, -50]),
    st.one_of(st.none(), readings),
    st.booleans(),
    st.sampled_from(["none", "island", "grid"]),
    st.integers(1, 8),
)
abilities = st.builds(
    GatewayAbilities,
    reports_bond=st.booleans(),
    reports_output_voltage=st.booleans(),
    transfers_itself=st.booleans(),
)


@given(abilities, st.lists(seconds, max_size=60))
def test_what_is_asked_for_is_safe(
    able: GatewayAbilities,
    course: list[tuple[int, GatewayReading | None, bool, str, int]],
) -> None:
    settings = IslandSettings(grid_code=GRID_CODES["ieee1547-2018"], abilities=able)
    state, now = IslandState(), 1_800_000_000 * US
    for wait_s, reading, ready, asks, times in course:
        now += wait_s * US
        for _ in range(times):
            now += US
            told = None
            if reading is not None:
                told = GatewayReading(
                    now + reading.measured_unix_us * US,
                    reading.grid_voltage_pu,
                    reading.grid_frequency_hz,
                    reading.grid_present,
                    reading.grid_pole,
                    reading.island_source,
                    reading.bond,
                    reading.output_voltage_pu,
                    reading.fault,
                )
            inputs = IslandInputs(
                reading=told,
                source_ready=ready,
                test_until_unix_us=now + 30 * US if asks == "none" else None,
                person_asks=asks,  # type: ignore[arg-type]
            )
            before = state.phase
            result = step(state, inputs, settings, now)
            state = result.state
            for move in result.events:
                if isinstance(move, IslandMoved):
                    assert move.from_phase == before
                    assert move.reason
                    before = move.to_phase
            assert before == state.phase
            assert state.phase in PHASES
            assert bool(result.alarm) or state.phase != "fault"
            _is_safe(tuple(request.action for request in result.requests), told, able, now)


def _is_safe(
    asked: tuple[str, ...], told: GatewayReading | None, able: GatewayAbilities, now: int
) -> None:
    assert not (able.transfers_itself and asked)
    if "close_grid_pole" not in asked and "close_island_source" not in asked:
        return
    assert told is not None
    assert -US <= now - told.measured_unix_us <= 5 * US
    assert not told.fault
    dead = not able.reports_output_voltage or (
        told.output_voltage_pu is not None and told.output_voltage_pu < 0.1
    )
    if "close_island_source" in asked:
        assert asked == ("open_grid_pole", "close_island_source")
        assert told.grid_pole == "open"
        assert told.island_source == "closed" or (told.island_source == "open" and dead)
        assert not able.reports_bond or told.bond == "closed"
    else:
        assert asked == ("open_island_source", "close_grid_pole")
        assert told.island_source == "open"
        assert dead
        assert not able.reports_bond or told.bond == "open"
