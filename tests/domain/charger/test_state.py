"""A charger's state: what is of now, what is only history, and which state of charge is believed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import (
    Booted,
    CarNeeds,
    ChargerEvent,
    Connected,
    Disconnected,
    ExternalLimit,
    MeterRead,
    RungChanged,
    StatusChanged,
    TransactionReported,
    Variable,
    VariablesReported,
)
from parkwatt.domain.charger.reading import MeterReading, SignedValue
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState

_T = 1_785_850_545_000_000
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND


def told(
    transaction_id: str,
    phase: str,
    minute: float,
    reading: MeterReading | None = None,
    **more: object,
) -> TransactionReported:
    fields: dict[str, object] = {"measured_unix_us": _T + round(minute * _MINUTE)}
    fields["readings"] = () if reading is None else (reading,)
    return TransactionReported(transaction_id, phase, 1, **(fields | more))  # type: ignore[arg-type]


def metered(minute: float, **values: object) -> MeterReading:
    return MeterReading(_T + round(minute * _MINUTE), **values)  # type: ignore[arg-type]


def state_after(*events: tuple[float, ChargerEvent]) -> ChargerState:
    state = ChargerState("wallbox")
    for minute, event in events:
        state.apply(event, _T + round(minute * _MINUTE))
    return state


def soc_after(*events: tuple[float, ChargerEvent]) -> float | None:
    state = state_after(*events)
    return state.evse(1).soc(_T + round(events[-1][0] * _MINUTE))


def read(minute: float, **values: object) -> tuple[float, ChargerEvent]:
    return minute, MeterRead(1, (metered(minute, **values),))


def test_a_transaction_runs_from_its_start_to_its_end() -> None:
    state = state_after((0, told("1", "started", 0, charging_state="charging")))
    running = state.open_transaction(1)
    assert running is not None
    assert (state.evse(1).charging_state, state.evse(1).car_connected) == ("charging", True)
    state.apply(told("1", "ended", 60), _T + 60 * _MINUTE)
    assert state.open_transaction(1) is None
    assert state.evse(1).charging_state == "idle"
    assert not state.transactions["1"].open


def test_a_queued_old_transaction_does_not_take_the_place_of_the_running_one() -> None:
    state = state_after(
        (100, told("new", "started", 100, charging_state="charging")),
        (101, told("old", "started", 0, late=True, charging_state="charging")),
        (101, told("old", "updated", 30, late=True, charging_state="suspended_by_car")),
        (101, told("old", "ended", 60, late=True, reason="EVDisconnected")),
    )
    assert state.evse(1).transaction_id == "new"
    assert state.evse(1).charging_state == "charging"
    assert state.evse(1).car_connected


def test_a_transaction_whose_end_was_lost_does_not_come_back() -> None:
    state = state_after(
        (0, told("lost", "started", 0)),
        (100, told("next", "started", 100)),
        (150, told("next", "ended", 150)),
        (160, told("lost", "updated", 50, late=True)),
    )
    assert state.open_transaction(1) is None
    assert state.transactions["lost"].open


def test_a_transaction_that_was_queued_and_still_runs_is_the_running_one() -> None:
    state = state_after(
        (200, told("1", "started", 0, late=True)), (200, told("1", "updated", 100, late=True))
    )
    assert state.evse(1).transaction_id == "1"
    assert state.evse(1).car_connected is None  # a late report is no state of now


def test_a_new_transaction_runs_even_if_the_clock_was_set_back() -> None:
    state = state_after(
        (0, told("1", "started", 60)), (1, told("2", "started", 1, charging_state="charging"))
    )
    assert state.evse(1).transaction_id == "2"
    assert state.evse(1).charging_state == "charging"


def test_late_readings_count_as_energy_and_are_not_shown_as_of_now() -> None:
    state = state_after(
        (100, told("1", "started", 100, metered(100, energy_import_kwh=50.0, power_kw=7.0))),
        (
            101,
            told(
                "1",
                "updated",
                90,
                metered(90, energy_import_kwh=49.0, power_kw=3.0, soc=0.3),
                late=True,
            ),
        ),
        (101, told("0", "ended", 40, metered(40, energy_import_kwh=49.0, power_kw=3.0), late=True)),
    )
    reading = state.evse(1).reading
    assert reading is not None
    assert reading.power_kw == 7.0
    assert state.evse(1).soc(_T + 101 * _MINUTE) is None
    assert state.transactions["0"].imported_kwh == 0.0


def test_readings_of_the_time_before_that_name_no_transaction_are_not_the_running_ones() -> None:
    state = state_after(
        (0, told("1", "started", 0, metered(0, energy_import_kwh=100.0))),
        read(5, energy_import_kwh=101.0),
        (6, MeterRead(1, (metered(-600, energy_import_kwh=60.0),))),
        (6, MeterRead(1, (metered(-9, energy_import_interval_kwh=60.0),))),
    )
    assert state.transactions["1"].imported_kwh == pytest.approx(1.0)
    assert state.transactions["1"].import_intervals_kwh is None


def test_authorised_before_the_car_is_there_is_no_car() -> None:
    state = state_after((0, told("1", "started", 0, charging_state="idle")))
    assert state.evse(1).car_connected is False
    state.apply(told("1", "updated", 1, charging_state="car_connected"), _T + _MINUTE)
    assert state.evse(1).car_connected is True


def test_ended_transactions_are_forgotten_beyond_the_bound_and_open_ones_never() -> None:
    state = state_after((0, told("open", "started", 0)))
    for number in range(500):
        state.apply(told(str(number), "started", number), _T)
        state.apply(told(str(number), "ended", number + 0.5), _T)
    assert "open" in state.transactions
    assert "499" in state.transactions
    assert len(state.transactions) <= 18
    assert len(msgspec.json.encode(state)) < 10_000


def test_numbers_of_transactions_are_those_that_ocpp_1_6_can_carry() -> None:
    state = state_after(
        (0, told("41", "started", 0)),
        (1, told("9" * 36, "started", 1)),
        (2, told("7", "started", 2)),
    )
    assert state.last_transaction_number == 41
    msgspec.json.encode(state)


def test_a_reading_out_of_order_is_not_of_now_but_a_clock_set_back_is_followed() -> None:
    state = state_after(
        (60, MeterRead(1, (metered(60, power_kw=7.0),))),
        (60.1, MeterRead(1, (metered(50, power_kw=3.0),))),
    )
    assert state.evse(1).reading == metered(60, power_kw=7.0)
    state.apply(MeterRead(1, (metered(2, power_kw=5.0),)), _T + 62 * _MINUTE)
    assert state.evse(1).reading == metered(2, power_kw=5.0)


def test_values_of_one_moment_that_come_one_by_one_are_put_together() -> None:
    state = state_after(
        (
            0,
            MeterRead(
                1,
                (metered(0, power_kw=7.0), metered(0, soc=0.5), metered(0, energy_import_kwh=9.0)),
            ),
        )
    )
    assert state.evse(1).reading == metered(0, power_kw=7.0, soc=0.5, energy_import_kwh=9.0)


def test_a_register_that_is_left_out_is_kept_and_power_is_not() -> None:
    state = state_after(read(0, power_kw=7.0, energy_import_kwh=9.0), read(1, soc=0.5))
    assert state.evse(1).reading == metered(1, soc=0.5, energy_import_kwh=9.0)


def test_a_soc_is_believed_for_a_time_and_until_the_battery_moved() -> None:
    state = state_after(read(0, soc=0.5, energy_import_kwh=100.0))
    assert state.evse(1).soc(_T + 29 * _MINUTE) == 0.5
    assert state.evse(1).soc(_T + 31 * _MINUTE) is None
    assert (
        soc_after(read(0, soc=0.5, energy_import_kwh=100.0), read(5, energy_import_kwh=101.9))
        == 0.5
    )
    assert (
        soc_after(read(0, soc=0.5, energy_import_kwh=100.0), read(5, energy_import_kwh=102.1))
        is None
    )
    assert (
        soc_after(read(0, soc=0.5, energy_export_kwh=1.0), read(5, energy_export_kwh=3.1)) is None
    )


def test_a_soc_that_stands_still_while_the_battery_moves_is_unknown_until_it_changes() -> None:
    frozen = [read(minute, soc=0.5, energy_import_kwh=100.0 + minute) for minute in range(6)]
    assert soc_after(*frozen[:2]) == 0.5
    assert soc_after(*frozen) is None
    assert soc_after(*frozen, read(6, soc=0.58, energy_import_kwh=106.0)) == 0.58


def test_a_large_battery_may_move_more_within_a_percent() -> None:
    needs = CarNeeds(1, "DC_BPT", bidirectional=True, dynamic=True, energy_capacity_kwh=600.0)
    events = [
        (0.0, needs),
        read(0, soc=0.5, energy_import_kwh=100.0),
        read(5, energy_import_kwh=108.0),
    ]
    assert soc_after(*events) == 0.5


@pytest.mark.parametrize(("before", "believed"), [(None, None), (0.4, 0.4), (0.03, 0.0)])
def test_zero_percent_is_believed_only_of_a_battery_that_was_near_it(
    before: float | None, believed: float | None
) -> None:
    events = [] if before is None else [read(0, soc=before)]
    assert soc_after(*events, read(1, soc=0.0)) == believed


@pytest.mark.parametrize("soc", [-0.1, 1.1])
def test_a_soc_that_cannot_be_is_not_believed(soc: float) -> None:
    assert soc_after(read(0, soc=soc)) is None


def test_a_soc_told_before_the_first_register_is_not_stale_by_it() -> None:
    needs = CarNeeds(1, "AC_BPT", bidirectional=True, dynamic=False, soc=0.4)
    assert soc_after((0, needs), read(1, energy_import_kwh=5000.0)) == 0.4
    assert (
        soc_after((0, needs), read(1, energy_import_kwh=5000.0), read(9, energy_import_kwh=5003.0))
        is None
    )


@pytest.mark.parametrize(
    "leaving",
    [
        StatusChanged(1, 1, "available"),
        told("1", "ended", 2, reason="EVDisconnected"),
        told("1", "updated", 2, charging_state="idle"),
    ],
)
def test_what_is_known_of_a_car_goes_with_it(leaving: ChargerEvent) -> None:
    needs = CarNeeds(1, "AC_BPT", bidirectional=True, dynamic=False, soc=0.4)
    state = state_after(
        (0, told("1", "started", 0, charging_state="charging")), (1, needs), (2, leaving)
    )
    assert state.evse(1).car_connected is False
    assert state.evse(1).needs is None
    assert state.evse(1).soc(_T + 2 * _MINUTE) is None


def test_the_free_connector_beside_the_one_in_use_says_nothing_of_the_place() -> None:
    state = state_after(
        (0, StatusChanged(1, 1, "occupied", car_connected=True)),
        (1, StatusChanged(1, 2, "available")),
    )
    assert (state.evse(1).availability, state.evse(1).car_connected) == ("occupied", True)
    state.apply(StatusChanged(1, 1, "available"), _T)
    assert (state.evse(1).availability, state.evse(1).car_connected) == ("available", False)


def test_variables_are_of_the_place_before_the_charger() -> None:
    state = state_after(
        (
            0,
            VariablesReported(
                (Variable("Available", "false", "V2XChargingCtrlr"),), ("A.B", "A.B")
            ),
        ),
        (
            1,
            VariablesReported(
                (Variable("Available", "true", "V2XChargingCtrlr", evse_id=1),), ("A.B",)
            ),
        ),
    )
    assert state.variable("V2XChargingCtrlr", "Available", evse_id=1) == "true"
    assert state.variable("V2XChargingCtrlr", "Available", evse_id=2) == "false"
    assert state.variable("V2XChargingCtrlr", "Enabled") is None
    assert state.unknown_variables == ["A.B"]


def test_a_limit_of_somebody_else_holds_until_it_is_lifted() -> None:
    state = state_after((0, ExternalLimit(1, "EMS", 4.2)))
    assert state.evse(1).external_limits_kw == {"EMS": 4.2}
    state.apply(ExternalLimit(1, "EMS"), _T)
    assert state.evse(1).external_limits_kw == {}


_availabilities = st.sampled_from(["available", "occupied", "faulted", "unavailable"])
_values = st.none() | st.floats(0.0, 1000.0)
_readings = st.builds(
    MeterReading,
    st.none() | st.integers(_T - 60 * _MINUTE, _T + 60 * _MINUTE),
    power_kw=st.none() | st.floats(-22.0, 22.0),
    energy_import_kwh=_values,
    energy_export_kwh=_values,
    energy_import_interval_kwh=_values,
    soc=st.none() | st.floats(0.0, 1.0),
    current_a=st.none() | st.tuples(st.floats(0.0, 32.0), st.floats(0.0, 32.0)),
    signed=st.sampled_from([(), (SignedValue("no_key", "OCMF|{}|{}"),)]),
)
_events: st.SearchStrategy[ChargerEvent] = st.one_of(
    st.builds(Connected, st.just("ocpp2.1"), st.just(2), st.just("::1")),
    st.builds(Disconnected, st.just("closed")),
    st.builds(Booted, st.just("Maker"), st.just("Model")),
    st.builds(StatusChanged, st.integers(1, 2), st.integers(1, 2), _availabilities),
    st.builds(
        TransactionReported,
        st.sampled_from("123"),
        st.sampled_from(["started", "updated", "ended"]),
        st.integers(0, 2),
        seq_no=st.none() | st.integers(0, 9),
        measured_unix_us=st.none() | st.integers(_T - 60 * _MINUTE, _T + 60 * _MINUTE),
        late=st.booleans(),
        charging_state=st.sampled_from(["charging", "idle", "unknown", "suspended_by_car"]),
        readings=st.lists(_readings, max_size=2).map(tuple),
    ),
    st.builds(MeterRead, st.integers(1, 2), st.lists(_readings, max_size=2).map(tuple)),
    st.builds(
        CarNeeds,
        st.integers(1, 2),
        st.just("DC_BPT"),
        st.booleans(),
        st.booleans(),
        soc=st.none() | st.floats(0, 1),
    ),
    st.builds(ExternalLimit, st.integers(1, 2), st.just("EMS"), st.none() | st.floats(0, 11)),
    st.builds(
        RungChanged,
        st.integers(1, 2),
        st.sampled_from(Rung),
        st.sampled_from(Rung),
        st.booleans(),
        st.just("seen"),
    ),
    st.just(VariablesReported((Variable("Interval", "10", "Ctrlr"),), ("A.B",))),
)


@given(st.lists(_events, max_size=30), st.integers(0, 30))
def test_a_replay_from_any_snapshot_gives_the_same_state(
    events: list[ChargerEvent], at: int
) -> None:
    live, replayed = ChargerState("wallbox"), ChargerState("wallbox")
    for number, event in enumerate(events):
        if number == at:
            replayed = msgspec.json.decode(msgspec.json.encode(replayed), type=ChargerState)
        live.apply(event, _T + number * 10 * _SECOND)
        replayed.apply(event, _T + number * 10 * _SECOND)
        assert replayed == live
    assert msgspec.json.decode(msgspec.json.encode(live), type=ChargerState) == live
    for transaction in live.transactions.values():
        assert (transaction.imported_kwh or 0.0) >= 0.0
        assert (transaction.exported_kwh or 0.0) >= 0.0


@given(st.lists(_events, max_size=20))
def test_asking_whether_a_report_is_known_changes_nothing(events: list[ChargerEvent]) -> None:
    state = state_after(*enumerate(events))
    before = msgspec.json.encode(state)
    known = [state.repeats(event) for event in events if isinstance(event, TransactionReported)]
    again = [state.repeats(event) for event in events if isinstance(event, TransactionReported)]
    assert known == again
    assert msgspec.json.encode(state) == before
    assert not state.repeats(told("never heard", "started", 0))


def test_a_transaction_that_names_its_place_late_leaves_none_behind() -> None:
    state = ChargerState("C1")
    started = TransactionReported("T", "started", 0, seq_no=0, measured_unix_us=1)
    named = TransactionReported("T", "updated", 2, seq_no=1, measured_unix_us=2)
    for now_unix_us, event in enumerate((started, named), start=1):
        state.apply(event, now_unix_us)
    assert state.evse(0).transaction_id is None
    assert state.evse(2).transaction_id == "T"


def test_numbers_that_a_charger_makes_up_take_bounded_memory() -> None:
    state = ChargerState("C1")
    for number in range(1000):
        state.apply(StatusChanged(number, 1, "available"), number)
        begun = TransactionReported(f"T{number}", "started", 1, seq_no=0, measured_unix_us=number)
        state.apply(begun, number)
    assert len(state.evses) <= 64
    assert len(state.transactions) <= 160
    assert state.evse(1).transaction_id == "T999"


def _reported(number: int, measured_unix_us: int) -> TransactionReported:
    return TransactionReported("T", "updated", 1, seq_no=number, measured_unix_us=measured_unix_us)


def test_a_clock_that_is_an_hour_behind_queues_nothing_once_it_was_seen_to_run() -> None:
    state = ChargerState("C1")
    hour_us, connected_unix_us = 3_600_000_000, 10_000_000_000_000
    state.apply(Connected("ocpp2.1", 1, ""), connected_unix_us)
    assert state.is_history(connected_unix_us - hour_us, connected_unix_us)
    for number in range(3):
        now_unix_us = connected_unix_us + number * 10_000_000
        state.apply(_reported(number, now_unix_us - hour_us), now_unix_us)
    assert not state.is_history(now_unix_us - hour_us, now_unix_us)
    assert state.is_history(now_unix_us - 2 * hour_us, now_unix_us)


def test_a_queue_that_empties_teaches_nothing_of_the_clock() -> None:
    state = ChargerState("C1")
    hour_us, connected_unix_us = 3_600_000_000, 10_000_000_000_000
    state.apply(Connected("ocpp2.1", 1, ""), connected_unix_us)
    for number in range(100):
        now_unix_us = connected_unix_us + number * 50_000
        state.apply(_reported(number, now_unix_us - hour_us + number * 10_000_000), now_unix_us)
    assert state.clock_lag_us == 0


def test_a_clock_is_behind_as_far_as_the_last_report_of_the_link_bears_out() -> None:
    """So that one that was put right is not taken for one that still is behind."""
    state = ChargerState("C1")
    behind_us, now_unix_us = 90_000_000, 10_000_000_000_000
    state.apply(Connected("ocpp2.1", 1, ""), now_unix_us)
    assert state.clock_behind_us == 0
    for number in range(3):
        now_unix_us += 10_000_000
        state.apply(_reported(number, now_unix_us - behind_us), now_unix_us)
    assert state.clock_behind_us == behind_us
    state.apply(_reported(3, now_unix_us + 9_000_000), now_unix_us + 10_000_000)
    assert state.clock_behind_us == 0
    state.apply(Connected("ocpp2.1", 1, ""), now_unix_us)
    assert state.clock_behind_us == 0
