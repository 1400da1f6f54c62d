"""Transactions of 1.6 and what chargers in the field do to them, trap by trap (numbers: the project's list of traps)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import (
    DeviationSeen,
    MeterRead,
    NoticeReceived,
    TokenPresented,
    is_telemetry,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.session.settings import ChargerSettings
from tests.io.ocpp.session.made_v16 import Charger, stamp, unix_us

EPOCH = "1970-01-01T00:00:07Z"


def imported_kwh(charger: Charger, transaction_id: int | str) -> float:
    energy_kwh = charger.transaction(str(transaction_id)).imported_kwh
    assert energy_kwh is not None
    return energy_kwh


def test_a_transaction_from_start_to_stop() -> None:
    charger = Charger()
    number = charger.starts(1)
    charger.measures(2, 1500, transactionId=number)
    reply = charger.stops(number, 3, 2250, reason="EVDisconnected", idTag="CARD")
    assert reply == {"idTagInfo": {"status": "Accepted"}}
    started, updated, ended = charger.reports()
    assert (started.transaction_id, started.phase, started.evse_id) == ("1", "started", 1)
    assert (started.token, started.late) == ("CARD", False)
    assert started.readings == (MeterReading(unix_us(1), "begin", energy_import_kwh=1.0),)
    assert (updated.phase, updated.periodic) == ("updated", True)
    assert is_telemetry(updated)
    assert (ended.phase, ended.reason) == ("ended", "EVDisconnected")
    assert ended.readings == (MeterReading(unix_us(3), "end", energy_import_kwh=2.25),)
    assert imported_kwh(charger, number) == pytest.approx(1.25)
    assert charger.state.open_transaction(1) is None


def test_a_stop_without_a_reason_is_local_and_without_a_token_says_nothing_of_one() -> None:
    charger = Charger()
    assert charger.stops(charger.starts(), 2, 1000) == {}
    assert charger.reports()[-1].reason == "Local"


def test_data_of_a_stop_are_readings_before_its_register() -> None:
    charger = Charger()
    number = charger.starts()
    data = [
        {
            "timestamp": stamp(1),
            "sampledValue": [{"value": "1000", "context": "Transaction.Begin"}],
        },
        {
            "timestamp": stamp(2),
            "sampledValue": [{"value": "1700", "context": "Transaction.End"}],
        },
    ]
    charger.stops(number, 2, 1700, transactionData=data)
    moments = [reading.moment for reading in charger.reports()[-1].readings]
    assert moments == ["begin", "end", "end"]
    assert imported_kwh(charger, number) == pytest.approx(0.7)


def test_numbers_are_positive_and_unique_over_a_restart() -> None:
    charger = Charger()
    first = charger.starts(1)
    charger.stops(first, 2, 1100)
    second = charger.restarted().starts(3, meterStart=1100)
    assert 0 < first < second


def test_one_who_may_not_charge_gets_a_number_and_is_told() -> None:
    charger = Charger(ChargerSettings(tokens=frozenset({"OTHER"})))
    payload: dict[str, Any] = {
        "connectorId": 1,
        "idTag": "CARD",
        "meterStart": 5,
        "timestamp": stamp(1),
    }
    reply = charger.says("StartTransaction", **payload)
    assert reply == {"idTagInfo": {"status": "Invalid"}, "transactionId": 1}
    assert charger.says("StartTransaction", **payload) == reply
    assert charger.of(TokenPresented) == [TokenPresented("CARD", "", accepted=False)]
    assert len(charger.reports()) == 1


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("ended", [False, True])
def test_trap_8_a_start_that_is_repeated_is_the_same(crash: bool, ended: bool) -> None:
    charger = Charger()
    number = charger.starts(1)
    if ended:
        charger.stops(number, 2, 1100)
    if crash:
        charger = charger.restarted()
    before = len(charger.reports())
    payload = {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": stamp(1)}
    again = charger.says("StartTransaction", 30, **payload)
    assert again["transactionId"] == number
    assert len(charger.reports()) == before


@pytest.mark.parametrize(
    "other", [{"connectorId": 2}, {"idTag": "X"}, {"meterStart": 1001}, {"timestamp": stamp(2)}]
)
def test_a_start_that_differs_is_another(other: dict[str, object]) -> None:
    charger = Charger()
    assert charger.starts(1) != charger.starts(1, **other)


def test_trap_9_a_clock_in_1970_is_told_and_not_used() -> None:
    charger = Charger()
    number = charger.starts(1, timestamp=EPOCH)
    assert charger.transaction(str(number)).started_unix_us == unix_us(1)
    assert charger.starts(2, timestamp=EPOCH) == number
    charger.stops(number, 5, 1500, timestamp=EPOCH)
    charger.stops(number, 6, 1500, timestamp=EPOCH)
    assert [report.phase for report in charger.reports()] == ["started", "ended"]
    assert len(charger.of(DeviationSeen)) == 2
    assert imported_kwh(charger, number) == pytest.approx(0.5)
    assert charger.starts(7, timestamp=EPOCH) != number


def test_trap_9_a_missing_zone_is_utc() -> None:
    charger = Charger()
    charger.starts(1, timestamp=stamp(1).removesuffix("Z"))
    assert charger.reports()[0].measured_unix_us == unix_us(1)


def test_trap_9_meter_values_without_time_are_no_repetition_of_each_other() -> None:
    charger = Charger()
    number = charger.starts(1, timestamp=EPOCH)
    for minutes in (2, 3, 4):
        value = {"timestamp": EPOCH, "sampledValue": [{"value": str(1000 + 100 * minutes)}]}
        payload = {"connectorId": 1, "transactionId": number, "meterValue": [value]}
        charger.says("MeterValues", minutes, **payload)
    assert imported_kwh(charger, number) == pytest.approx(0.4)
    assert len(charger.of(DeviationSeen)) == 2  # once for the start, once for all values


def test_trap_3_what_was_queued_counts_and_is_not_the_state_of_now() -> None:
    charger = Charger()
    number = charger.starts(0.5, timestamp=stamp(-60))
    charger.measures(-30, 4000, now=0.5, transactionId=number)
    assert [report.late for report in charger.reports()] == [True, True]
    assert charger.state.evse(1).reading is None
    charger.stops(number, 1, 5000, timestamp=stamp(-10))
    assert charger.reports()[-1].late
    assert imported_kwh(charger, number) == pytest.approx(4.0)


def test_trap_3_what_is_a_little_old_or_of_this_link_is_not_late() -> None:
    charger = Charger()
    number = charger.starts(0.2, timestamp=stamp(-0.5))
    charger.measures(1, 1100, now=90, transactionId=number)
    assert [report.late for report in charger.reports()] == [False, False]


def test_trap_5_a_stop_of_an_unknown_transaction_is_acknowledged_and_kept() -> None:
    charger = Charger()
    charger.says("StatusNotification", connectorId=3, errorCode="NoError", status="Finishing")
    begin = [{"value": "1000", "context": "Transaction.Begin"}]
    data = [{"timestamp": stamp(-60), "sampledValue": begin}]
    for minutes in (1, 2):
        assert charger.stops(77, minutes, 9000, timestamp=stamp(1), transactionData=data) == {}
    [report] = charger.reports()
    assert (report.transaction_id, report.evse_id) == ("unknown-77", 3)
    assert not charger.transaction("unknown-77").heard_start
    assert imported_kwh(charger, "unknown-77") == pytest.approx(8.0)
    assert charger.state.last_transaction_number == 0


def test_a_transaction_of_another_back_end_counts_from_its_first_values() -> None:
    charger = Charger()
    charger.measures(1, 5000, transactionId=77)
    charger.measures(2, 6000, transactionId=77)
    assert charger.state.open_transaction(1) is charger.transaction("unknown-77")
    charger.stops(77, 3, 7500)
    assert imported_kwh(charger, "unknown-77") == pytest.approx(2.5)
    assert charger.state.open_transaction(1) is None


def test_a_number_that_another_back_end_gave_is_not_given_again() -> None:
    charger = Charger()
    charger.measures(1, 5000, transactionId=1)
    assert charger.starts(2, connectorId=2) == 2


@pytest.mark.parametrize("number", [-1, 0])
@pytest.mark.parametrize("timestamp", [stamp(5), EPOCH])
def test_trap_6_a_stop_of_a_lost_number_ends_the_open_transaction_once(
    number: int, timestamp: str
) -> None:
    charger = Charger()
    open_number = charger.starts(1)
    for _ in range(2):
        charger.stops(number, 5, 3000, timestamp=timestamp, reason="PowerLoss")
    assert [report.phase for report in charger.reports()] == ["started", "ended"]
    assert imported_kwh(charger, open_number) == pytest.approx(2.0)


def test_trap_6_of_two_open_transactions_the_token_tells_which_was_lost() -> None:
    charger = Charger()
    charger.starts(1)
    second = charger.starts(1, connectorId=2, idTag="OTHER")
    charger.stops(-1, 5, 3000, idTag="other")
    assert charger.reports()[-1].transaction_id == str(second)


def test_trap_6_of_two_open_transactions_the_register_tells_which_was_lost() -> None:
    charger = Charger()
    first = charger.starts(1)
    charger.starts(1, connectorId=2, meterStart=90_000)
    charger.stops(-1, 5, 3000)
    assert charger.reports()[-1].transaction_id == str(first)


def test_trap_6_where_there_is_doubt_the_stop_is_one_of_its_own() -> None:
    charger = Charger()
    charger.starts(1)
    charger.starts(1, connectorId=2)
    for _ in range(2):
        charger.stops(-1, 5, 3000)
    reports = charger.reports()
    assert len(reports) == 3
    assert reports[-1].transaction_id == f"unknown-at-{unix_us(5)}"
    assert len([known for known in charger.state.transactions.values() if known.open]) == 2


def test_trap_6_a_stop_from_before_the_open_transaction_is_not_its_end() -> None:
    charger = Charger()
    number = charger.starts(10)
    charger.stops(-1, 11, 900, timestamp=stamp(5))
    assert charger.transaction(str(number)).open


def test_a_foreign_number_ends_no_transaction_of_ours_on_another_connector() -> None:
    charger = Charger()
    number = charger.starts(1)
    charger.says("StatusNotification", connectorId=2, errorCode="NoError", status="Charging")
    charger.stops(77, 5, 3000)
    assert charger.transaction(str(number)).open
    assert charger.reports()[-1].transaction_id == "unknown-77"


@pytest.mark.parametrize("crash", [False, True])
def test_trap_7_a_stop_that_is_repeated_counts_once(crash: bool) -> None:
    charger = Charger()
    number = charger.starts(1)
    charger.stops(number, 2, 1500)
    if crash:
        charger = charger.restarted()
    charger.stops(number, 9, 1600, reason="PowerLoss")
    assert len(charger.reports()) == 2
    assert imported_kwh(charger, number) == pytest.approx(0.5)


def test_trap_7_a_stop_of_a_forgotten_transaction_is_a_notice() -> None:
    charger = Charger()
    first = charger.starts(1)
    charger.stops(first, 2, 1500)
    for session in range(1, 41):
        charger.stops(charger.starts(3 * session), 3 * session + 1, 1500)
    assert str(first) not in charger.state.transactions
    before = len(charger.reports())
    assert charger.stops(first, 200, 1500) == {}
    assert len(charger.reports()) == before
    assert [notice.action for notice in charger.of(NoticeReceived)] == ["StopTransaction"]


@pytest.mark.parametrize("number", [None, 0, -1])
def test_meter_values_without_a_number_belong_to_the_open_transaction(number: int | None) -> None:
    charger = Charger()
    ours = charger.starts(1)
    named = {} if number is None else {"transactionId": number}
    charger.measures(2, 1400, **named)
    assert charger.reports()[-1].transaction_id == str(ours)
    assert imported_kwh(charger, ours) == pytest.approx(0.4)


@pytest.mark.parametrize("number", [None, 0, -1])
def test_meter_values_without_number_and_transaction_are_outside_of_one(number: int | None) -> None:
    charger = Charger()
    charger.measures(2, 1500, **({} if number is None else {"transactionId": number}))
    reading = MeterReading(unix_us(2), energy_import_kwh=1.5)
    assert charger.of(MeterRead) == [MeterRead(1, (reading,))]


def test_trap_11_a_backlog_outside_a_transaction_is_kept_and_not_the_state_of_now() -> None:
    charger = Charger()
    charger.measures(-50_000, 1400, now=1)
    assert charger.state.evse(1).reading is None
    assert [notice.action for notice in charger.of(NoticeReceived)] == ["MeterValues"]


def test_trap_11_a_backlog_from_before_the_open_transaction_is_not_its_own() -> None:
    charger = Charger()
    number = charger.starts(1)
    charger.measures(-50_000, 400, now=2)
    assert imported_kwh(charger, number) == 0.0
    assert len(charger.reports()) == 1


def test_trap_11_meter_values_that_say_nothing_known_are_no_event() -> None:
    charger = Charger()
    before = len(charger.journal)
    charger.measures(1, 5, sampled={"measurand": "RPM", "unit": "W"})
    assert len(charger.journal) == before


def test_trap_20_values_after_the_stop_belong_to_the_transaction() -> None:
    charger = Charger()
    number = charger.starts(1)
    charger.stops(number, 5, 2000)
    charger.measures(5, 2004, transactionId=number, sampled={"context": "Transaction.End"})
    report = charger.reports()[-1]
    assert (report.phase, report.periodic, is_telemetry(report)) == ("updated", False, False)
    assert imported_kwh(charger, number) == pytest.approx(1.004)
    assert not charger.transaction(str(number)).open


def test_values_that_still_name_the_last_transaction_belong_to_the_one_that_runs() -> None:
    charger = Charger()
    last = charger.starts(1)
    charger.stops(last, 5, 2000)
    charger.measures(8, 2000, transactionId=last)
    assert charger.of(MeterRead)
    runs = charger.starts(9, meterStart=2000)
    charger.measures(11, 2600, transactionId=last)
    assert imported_kwh(charger, last) == pytest.approx(1.0)
    assert imported_kwh(charger, runs) == pytest.approx(0.6)


def test_trap_20_a_register_that_begins_anew_loses_no_energy() -> None:
    charger = Charger()
    number = charger.starts(1, meterStart=500_000)
    charger.measures(30, 504_000, transactionId=number)
    charger.says("BootNotification", 31, chargePointVendor="V", chargePointModel="M")
    charger.measures(60, 2000, transactionId=number)
    charger.stops(number, 90, 3000)
    assert imported_kwh(charger, number) == pytest.approx(7.0)


def test_meter_values_sent_twice_are_journalled_once() -> None:
    charger = Charger()
    number = charger.starts(1)
    interval = {"measurand": "Energy.Active.Import.Interval"}
    for _ in range(2):
        charger.measures(2, 100, transactionId=number, sampled=interval)
    assert len(charger.reports()) == 2
    assert charger.transaction(str(number)).import_intervals_kwh == pytest.approx(0.1)


def test_one_moment_in_two_messages_is_no_repetition() -> None:
    charger = Charger()
    number = charger.starts(1)
    charger.measures(2, 1100, transactionId=number)
    power = {"measurand": "Power.Active.Import", "unit": "W"}
    charger.measures(2, 7000, transactionId=number, sampled=power)
    assert charger.reports()[-1].readings[0].power_kw == pytest.approx(7.0)


def test_a_new_start_ends_nothing_and_the_queued_stop_still_counts() -> None:
    charger = Charger()
    first = charger.starts(1)
    second = charger.starts(10, meterStart=3000)
    charger.stops(first, 11, 2500, timestamp=stamp(8))
    assert imported_kwh(charger, first) == pytest.approx(1.5)
    open_transaction = charger.state.open_transaction(1)
    assert open_transaction is charger.transaction(str(second))


steps_wh = st.lists(st.integers(0, 5000), min_size=1, max_size=12)


@given(steps_wh, st.data())
def test_energy_is_right_however_often_and_in_which_order_messages_come(
    energies_wh: list[int], data: st.DataObject
) -> None:
    """Whatever repeats or restarts in the middle, what the register moved is counted, once."""
    charger = Charger()
    number = charger.starts(1)
    registers_wh = [1000]
    for energy_wh in energies_wh:
        registers_wh.append(registers_wh[-1] + energy_wh)
    moments = list(enumerate(registers_wh[1:], start=2))
    repeated = [m for m in moments for _ in range(data.draw(st.integers(0, 2)))]
    for minutes, register_wh in data.draw(st.permutations(repeated)):
        charger.measures(minutes, register_wh, now=60, transactionId=number)
        if data.draw(st.booleans()):
            charger = charger.restarted()
    for _ in range(data.draw(st.integers(1, 3))):
        charger.stops(number, len(energies_wh) + 2, registers_wh[-1])
    assert imported_kwh(charger, number) == pytest.approx(sum(energies_wh) / 1000)
    assert [report.phase for report in charger.reports()].count("ended") == 1


def test_a_second_start_in_the_same_second_after_one_that_moved_nothing_is_another() -> None:
    charger = Charger()

    def starts() -> object:
        reply = charger.says(
            "StartTransaction", connectorId=1, idTag="A", meterStart=500, timestamp=stamp(1.0)
        )
        return reply["transactionId"]

    first = starts()
    charger.says("StopTransaction", transactionId=first, meterStop=500, timestamp=stamp(1.0))
    second = starts()
    assert second != first
    assert starts() == second
