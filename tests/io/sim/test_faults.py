"""Each fault on demand shows on the wire, and switches at run time."""

from __future__ import annotations

import json

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.io.sim.control import apply_control
from parkwatt.io.sim.faults import Faults, set_fault
from parkwatt.io.sim.settings import StationSettings
from tests.io.sim.bench import Bench


def events(bench: Bench, field: str) -> list[object]:
    return [event[field] for event in bench.told("TransactionEvent")]


def test_seq_no_is_zero_or_jumps() -> None:
    bench = Bench(StationSettings(meter_interval_s=5), connect=False)
    bench.station.faults.seq_no = "zero"
    bench.connect()
    bench.wait(50)
    assert set(events(bench, "seqNo")) == {0}
    bench.station.faults.seq_no = "gaps"
    bench.requests.clear()
    bench.wait(200)
    numbers = [event["seqNo"] for event in bench.told("TransactionEvent")]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > len(numbers)


def test_time_begins_in_1970_until_the_boot_is_accepted() -> None:
    bench = Bench(StationSettings(meter_interval_s=10), connect=False)
    bench.station.faults.clock_1970 = True
    bench.wait(25)
    bench.connect()
    bench.wait(30)
    times = [str(time)[:4] for time in events(bench, "timestamp")]
    assert times[0] == "1970"
    assert times[-1] == "2023"


def test_the_clock_is_skewed() -> None:
    bench = Bench(StationSettings(), connect=False)
    bench.station.faults.clock_skew_s = -3600
    bench.connect()
    bench.wait(10)
    assert str(events(bench, "timestamp")[0]).startswith("2023-11-14T21:13:2")


@pytest.mark.parametrize(
    ("fault", "told"), [("stale", {50.0}), ("zero", {0.0}), ("missing", set())]
)
def test_the_state_of_charge_is_wrong(fault: str, told: set[float]) -> None:
    bench = Bench(StationSettings(meter_interval_s=60), connect=False)
    bench.station.faults.soc = fault
    bench.connect()
    bench.wait(1800)
    shown = {
        sampled["value"]
        for event in bench.told("TransactionEvent")
        for value in event.get("meterValue", [])
        for sampled in value["sampledValue"]
        if sampled["measurand"] == "SoC"
    }
    assert shown == told
    assert bench.station.car.soc > 0.55


def test_duplicates_have_the_same_id() -> None:
    bench = Bench(StationSettings(meter_interval_s=5), connect=False)
    bench.station.faults.duplicate = 1.0
    bench.connect()
    bench.wait(20)
    assert len(bench.message_ids) == 2 * len(set(bench.message_ids))


def test_queued_messages_come_late_and_out_of_order() -> None:
    bench = Bench(StationSettings(meter_interval_s=5))
    bench.wait(20)
    bench.disconnect()
    bench.station.faults.late_s = 30
    bench.station.faults.shuffle = True
    bench.wait(100)
    bench.requests.clear()
    bench.connect()
    bench.wait(29)
    assert bench.told("TransactionEvent") == []
    bench.wait(2)
    numbers = events(bench, "seqNo")
    assert len(numbers) >= 20
    assert numbers != sorted(numbers)  # type: ignore[type-var]


def test_a_mute_station_answers_nothing_and_a_slow_one_late() -> None:
    bench = Bench(StationSettings(auto_start=False))
    request = json.dumps([2, "x", "GetLocalListVersion", {}])
    bench.station.faults.mute = True
    assert bench.station.receive(request, bench.now_us) == []
    bench.station.faults.mute = False
    bench.station.faults.answer_delay_s = 7
    assert bench.station.receive(request, bench.now_us) == []
    bench.now_us += 6_900_000
    assert bench.station.tick(bench.now_us) == []
    assert bench.station.next_tick_unix_us <= bench.now_us + 100_000
    bench.now_us += 100_000
    assert bench.station.tick(bench.now_us) == ['[3,"x",{"versionNumber":0}]']


def test_frames_are_cut_in_half() -> None:
    bench = Bench(StationSettings())
    bench.station.faults.malformed = 1.0
    [frame] = bench.station.receive(json.dumps([2, "x", "GetLocalListVersion", {}]), bench.now_us)
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(frame)


def test_named_actions_are_refused() -> None:
    bench = Bench(StationSettings())
    set_fault(bench.station.faults, "refuse=TriggerMessage+GetCompositeSchedule")
    assert bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat"}) == {
        "error": "NotImplemented"
    }
    composite = {"duration": 60, "evseId": 1}
    assert bench.ask("GetCompositeSchedule", composite) == {"error": "NotImplemented"}


def test_the_link_falls_and_the_station_reboots_at_random() -> None:
    bench = Bench(StationSettings())
    bench.station.faults.link_loss_every_s = 100
    bench.wait(2000)
    kinds = [note.kind for note in bench.station.take_notes()]
    assert 8 <= kinds.count("link_loss") <= 40
    bench.station.faults.link_loss_every_s = 0.0
    bench.station.faults.reboot_every_s = 200
    bench.wait(2000)
    kinds = [note.kind for note in bench.station.take_notes()]
    assert 3 <= kinds.count("reboot") <= 25


def test_a_slow_ramp() -> None:
    bench = Bench(StationSettings(), connect=False)
    bench.station.faults.disobey = "slow_ramp"
    bench.connect()
    bench.wait(20)
    assert bench.station.power_kw == pytest.approx(1.0)


@pytest.mark.parametrize(
    "text", ["nonsense=1", "mute=perhaps", "late_s=-1", "duplicate=2", "soc=half", "late_s=x"]
)
def test_a_fault_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(InputError, match="fault"):
        set_fault(Faults(), text)


def test_an_alarm_of_the_grid_is_told_when_it_is_asked_for() -> None:
    bench = Bench(StationSettings(protocol="2.1"))
    bench.pump(apply_control(bench.station, "alarm UnderVoltage", bench.now_us))
    bench.pump(apply_control(bench.station, "alarm UnderVoltage ended", bench.now_us))
    alarms = bench.told("NotifyDERAlarm")
    assert [one["controlType"] for one in alarms] == ["LVMustTrip", "LVMustTrip"]
    assert [one.get("alarmEnded", False) for one in alarms] == [False, True]
    for line in ("alarm Nonsense", "alarm UnderVoltage perhaps"):
        with pytest.raises(InputError, match="control alarm"):
            apply_control(bench.station, line, bench.now_us)
    with pytest.raises(InputError, match=r"2\.1"):
        apply_control(Bench(StationSettings(protocol="1.6")).station, "alarm UnderVoltage", 0)


def test_control_lines_change_a_running_station() -> None:
    bench = Bench(StationSettings())
    bench.wait(10)
    station = bench.station
    for line in ("soc 0.7", "frequency 49.9", "signal 3", "fault mute", "status", "unplug"):
        bench.pump(apply_control(station, line, bench.now_us))
    assert (station.car.soc, station.power.frequency_hz, station.power.signal) == (0.7, 49.9, 3.0)
    assert station.faults.mute
    assert station.transaction is None
    bench.pump(apply_control(station, "plug", bench.now_us))
    assert station.transaction is not None
    bench.pump(apply_control(station, "link 20", bench.now_us))
    assert not station.link_wanted
    with pytest.raises(InputError, match="control"):
        apply_control(station, "dance", bench.now_us)
