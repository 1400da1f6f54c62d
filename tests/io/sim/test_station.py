"""A station of every version: boot, transactions with their true energy, the queue, trips, availability."""

from __future__ import annotations

from dataclasses import replace

import pytest

from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings, Trip
from tests.io.sim.bench import Bench

VERSIONS: tuple[Protocol, ...] = ("1.6", "2.0.1", "2.1")
every_version = pytest.mark.parametrize("protocol", VERSIONS)


def registers(bench: Bench) -> list[float]:
    """The import registers that were told in a transaction, in order."""
    action = "MeterValues" if bench.protocol == "1.6" else "TransactionEvent"
    return [
        float(value["value"])
        for payload in bench.told(action)
        for meter_value in payload.get("meterValue", [])
        for value in meter_value["sampledValue"]
        if value["measurand"] == "Energy.Active.Import.Register"
    ]


@every_version
def test_nothing_but_boot_before_acceptance(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol), connect=False)
    pending = {**bench.answers["BootNotification"], "status": "Pending", "interval": 20}
    bench.answers["BootNotification"] = pending
    bench.connect()
    bench.wait(50)
    assert [action for action, _ in bench.requests] == ["BootNotification"] * 3
    assert bench.station.meter.import_wh == 0
    bench.answers["BootNotification"] = {**pending, "status": "Accepted", "interval": 60}
    bench.wait(200)
    assert len(bench.told("Heartbeat")) == 3
    assert bench.station.transaction is not None


@every_version
def test_a_transaction_counts_its_true_energy(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol, import_wh=12_345.0, meter_interval_s=10))
    bench.wait(605)
    bench.station.unplug()
    bench.pump(bench.station.tick(bench.now_us))
    [transaction] = bench.station.transactions
    assert transaction.import_wh == pytest.approx(11_000 * 605 / 3600, rel=0.01)
    assert bench.station.meter.import_wh == 12_345.0 + transaction.import_wh
    told = registers(bench)
    assert len(told) >= 60
    assert told == sorted(told)
    if protocol == "1.6":
        [stop] = bench.told("StopTransaction")
        assert stop["transactionId"] == 7
        assert stop["meterStop"] == round(bench.station.meter.import_wh)
    else:
        events = bench.told("TransactionEvent")
        assert [events[0]["eventType"], events[-1]["eventType"]] == ["Started", "Ended"]
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert told[-1] - told[0] == pytest.approx(transaction.import_wh, abs=0.002)


@every_version
def test_what_happens_offline_is_delivered_in_order_afterwards(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol, meter_interval_s=10))
    bench.wait(30)
    bench.requests.clear()
    bench.disconnect()
    bench.wait(100)
    bench.station.unplug()
    bench.wait(10)
    assert bench.requests == []
    bench.connect()
    assert bench.told("BootNotification") == []
    if protocol == "1.6":
        assert len(bench.told("MeterValues")) == 10
        assert len(bench.told("StopTransaction")) == 1
    else:
        events = bench.told("TransactionEvent")
        assert all(event["offline"] for event in events)
        numbers = [event["seqNo"] for event in events]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert events[-1]["eventType"] == "Ended"
    assert bench.station.outbox.durable_count == 0


@every_version
@pytest.mark.parametrize("new_id", [False, True])
def test_an_unanswered_transaction_message_is_sent_again(protocol: Protocol, new_id: bool) -> None:
    settings = StationSettings(protocol=protocol, retry_with_new_id=new_id, call_timeout_s=5)
    bench = Bench(settings, connect=False)
    action = "StartTransaction" if protocol == "1.6" else "TransactionEvent"
    bench.silent.add(action)
    bench.connect()
    bench.wait(20)
    sent = [
        i for i, (name, _) in zip(bench.message_ids, bench.requests, strict=True) if name == action
    ]
    assert len(sent) == 2
    assert (sent[0] == sent[1]) is not new_id
    bench.silent.clear()
    bench.wait(60)
    assert bench.station.outbox.durable_count == 0
    assert len({str(p) for p in bench.told(action) if p.get("seqNo", 0) == 0}) == 1


@every_version
def test_a_refused_driver_gets_nothing(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol), connect=False)
    refusal = {"status": "Invalid"}
    bench.answers["Authorize"] = {"idTokenInfo": refusal, "idTagInfo": refusal}
    bench.connect()
    bench.wait(60)
    assert bench.station.transactions == []
    assert bench.station.meter.import_wh == 0


@every_version
def test_a_trip_ends_a_transaction_and_its_return_begins_one(protocol: Protocol) -> None:
    # The bench's clock begins at 22:13:20 UTC.
    trip = Trip(22 * 3600 + 20 * 60, 23 * 3600, 9.0)
    car = CarSettings(soc=0.9, trips=(trip,))
    bench = Bench(StationSettings(protocol=protocol, car=car))
    bench.wait(600)
    left_kwh = bench.station.car.energy_kwh
    assert not bench.station.is_plugged
    bench.wait(2201)
    assert bench.station.is_plugged
    assert bench.station.car.energy_kwh == pytest.approx(left_kwh - 9.0, abs=0.01)
    assert len(bench.station.transactions) == 2


@every_version
def test_availability_waits_for_the_transaction(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol))
    off = (
        {"connectorId": 1, "type": "Inoperative"}
        if protocol == "1.6"
        else {"operationalStatus": "Inoperative"}
    )
    assert bench.ask("ChangeAvailability", off) == {"status": "Scheduled"}
    bench.wait(30)
    assert bench.station.power_kw == 11.0
    bench.station.end_transaction("Local", "StopAuthorized")
    bench.wait(30)
    assert not bench.station.is_available
    assert bench.station.power_kw == 0.0


@every_version
def test_a_reset_closes_the_link_and_boots_again(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol))
    bench.wait(30)
    request = {"type": "Hard" if protocol == "1.6" else "Immediate"}
    assert bench.ask("Reset", request) == {"status": "Accepted"}
    assert not bench.station.link_wanted
    bench.disconnect()
    bench.wait(11)
    assert bench.station.link_wanted
    bench.connect()
    bench.wait(5)
    assert len(bench.told("BootNotification")) == 2
    assert [t.end_us is None for t in bench.station.transactions] == [False, True]


@every_version
def test_bad_requests_get_an_error_and_nothing_breaks(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol))
    assert bench.ask("NoSuchAction", {}) == {"error": "NotImplemented"}
    assert bench.ask("Reset", {"type": 5})["error"] in (
        "TypeConstraintViolation",
        "PropertyConstraintViolation",
    )
    assert bench.ask("Reset", {})["error"].startswith("Occur")
    unknown = bench.ask("Reset", {"type": "Hard" if protocol == "1.6" else "Immediate", "x": 1})
    assert unknown["error"] in ("FormationViolation", "FormatViolation")
    for text in ("", "{}", "[2]", '[9,"a",{}]', '[2,"a",5,{}]', "\x00", '[3,"a",[]]'):
        [frame] = bench.station.receive(text, bench.now_us)
        assert frame.startswith("[4,")


@every_version
def test_an_idle_station_wakes_for_heartbeats_alone(protocol: Protocol) -> None:
    bench = Bench(StationSettings(protocol=protocol, car=CarSettings(plugged_in=False)))
    wakes = 0
    until_us = bench.now_us + 3600 * 1_000_000
    while bench.now_us < until_us:
        bench.now_us = bench.station.next_tick_unix_us
        bench.pump(bench.station.tick(bench.now_us))
        wakes += 1
    assert wakes <= 13
    assert len(bench.told("Heartbeat")) == 12


def test_the_same_seed_gives_the_same_frames() -> None:
    settings = StationSettings(meter_noise=0.01, frequency_hz_deviation=0.02)
    first, second = Bench(settings), Bench(settings)
    other = Bench(replace(settings, seed=2))
    for bench in (first, second, other):
        bench.wait(200)
    assert first.requests == second.requests
    assert first.requests != other.requests
