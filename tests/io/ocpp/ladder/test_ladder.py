"""The ladder against stations that obey and stations that do not: each ends on the right rung, in time."""

import pytest

from parkwatt.domain.charger.event import MeterRead
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.ladder.station import Manners
from tests.io.ocpp.ladder.world import World, tables

L0, L1, L2, L3 = list(Rung)[:4]
NEGATIVE = ChargerSettings(discharge=True, negative_limit=True, power_kw_max=11.0)
REJECTED = {
    "rejected": ("Rejected", "", ""),
    "not implemented": ("", "", "NotImplemented"),
    "unsupported kind": ("Rejected", "UnsupportedKind", ""),
    "invalid": ("Rejected", "InvalidSchedule", ""),
}


def held_kw(world: World) -> float:
    """What the station was told last."""
    asked_kw = world.station.asked_kw()
    assert asked_kw is not None
    return asked_kw


def told_kw(world: World) -> list[float]:
    """The powers that were sent, in kW."""
    found = [table for call in world.calls for table in tables(call.payload)]
    return [
        table[name] / 1000.0 for table in found for name in ("setpoint", "limit") if name in table
    ]


@pytest.mark.parametrize("before_kw", [0.0, 7.0])
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_station_that_obeys_is_proven_within_seconds(before_kw: float, dynamic: bool) -> None:
    world = World()
    world.station.power_kw = before_kw
    world.begin()
    if dynamic:
        world.dynamic()
    asked_s = world.now_s
    world.ask(-6.0).run(30.0)
    assert world.rung == (L3 if dynamic else L2)
    assert world.proven
    assert world.settled_s() - asked_s < 10.0
    assert world.verdicts() == [("followed", world.rung)]
    assert world.station.power_kw == pytest.approx(-6.0)


@pytest.mark.parametrize("before_kw", [0.0, 7.0, 11.0])
@pytest.mark.parametrize("schedule", ["honest", "full", "none"])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("settings", [None, NEGATIVE])
def test_accepted_and_full_power(
    before_kw: float, schedule: str, dynamic: bool, settings: ChargerSettings | None
) -> None:
    world = World(manners=Manners(discharge="full", schedule=schedule), settings=settings)
    world.station.power_kw = before_kw
    world.begin()
    if dynamic:
        world.dynamic()
    asked_s = world.now_s
    world.ask(-6.0).run(30.0)
    assert world.rung == L0
    assert held_kw(world) == 0.0
    assert world.station.power_kw < 0.3
    opposed = [judged for judged in world.judged() if judged.verdict == "opposed"]
    assert opposed
    assert world.judged()[-1].verdict == "refused"
    assert "cannot discharge" in world.judged()[-1].reason
    times = dict(zip(map(id, world.events), world.event_s, strict=True))
    rungs = 1 + dynamic + (settings is not None)
    assert times[id(opposed[0])] - asked_s <= 7.0
    assert world.opposite_s <= 3.0 + 3.2 * rungs, (
        "the way to rest at 4 kW/s, then a short while each"
    )
    world.ask(-6.0).run(60.0)
    assert world.station.power_kw < 0.3, "what opposed once is not trusted again"
    assert held_kw(world) == 0.0


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("settings", [None, NEGATIVE])
def test_accepted_and_nothing(dynamic: bool, settings: ChargerSettings | None) -> None:
    world = World(manners=Manners(discharge="nothing"), settings=settings)
    world.begin()
    if dynamic:
        world.dynamic()
    world.ask(0.0).run(1.0)
    world.station.power_kw = 0.0
    asked_s = world.now_s
    world.ask(-6.0).run(40.0)
    assert world.rung == L0
    assert world.settled_s() - asked_s < 30.0
    assert held_kw(world) == 0.0
    assert ("ignored", L3 if dynamic else L2) in world.verdicts()


@pytest.mark.parametrize("how", REJECTED)
@pytest.mark.parametrize("settings", [None, NEGATIVE])
def test_refused_setpoints_go_down_at_once(how: str, settings: ChargerSettings | None) -> None:
    world = World(manners=Manners(refuse={"CentralSetpoint": REJECTED[how]}), settings=settings)
    world.begin().dynamic()
    asked_s = world.now_s
    world.ask(-6.0).run(20.0)
    assert world.rung == (L1 if settings else L0)
    assert world.settled_s() - asked_s < 10.0
    assert world.verdicts()[:2] == [("refused", L3), ("refused", L2)]
    assert held_kw(world) == pytest.approx(-6.0 if settings else 0.0)


@pytest.mark.parametrize("how", REJECTED)
def test_dynamic_refused_leaves_absolute(how: str) -> None:
    world = World(manners=Manners(refuse={"Dynamic": REJECTED[how]})).begin().dynamic()
    world.ask(-6.0).run(20.0)
    assert world.rung == L2
    assert world.proven
    assert world.verdicts() == [("refused", L3), ("followed", L2)]


def test_dynamic_without_updates_leaves_absolute() -> None:
    manners = Manners(refuse={"UpdateDynamicSchedule": ("", "", "NotImplemented")})
    world = World(manners=manners).begin().dynamic()
    world.ask(-6.0).run(20.0)
    world.ask(-5.0).run(20.0)
    assert world.rung == L3
    world.ask(-4.0).run(20.0)
    assert world.rung == L2
    assert world.station.power_kw == pytest.approx(-4.0)


def test_a_lost_dynamic_profile_is_installed_again() -> None:
    world = World().begin().dynamic()
    world.ask(-6.0).run(20.0)
    world.station.profiles.clear()
    world.ask(-4.0).run(5.0)
    assert world.rung == L3
    assert world.station.power_kw == pytest.approx(-4.0)


@pytest.mark.parametrize("version", [Version.V16, Version.V201])
@pytest.mark.parametrize(
    ("discharge", "rung"), [("obey", L1), ("zero", L0), ("full", L0), ("nothing", L0)]
)
def test_negative_limit(version: Version, discharge: str, rung: Rung) -> None:
    world = World(version, Manners(discharge=discharge), NEGATIVE).begin()
    world.station.power_kw = 0.0
    world.ask(0.0).run(10.0)
    asked_s = world.now_s
    world.ask(-6.0).run(30.0)
    assert world.rung == rung
    assert world.settled_s() - asked_s < 30.0
    assert held_kw(world) == pytest.approx(-6.0 if rung == L1 else 0.0)
    assert world.opposite_s < 3.2


def test_negative_limit_that_the_schema_of_the_station_forbids() -> None:
    manners = Manners(refuse={"negative limit": ("", "", "PropertyConstraintViolation")})
    world = World(Version.V16, manners, NEGATIVE).begin().ask(-6.0).run(10.0)
    assert world.rung == L0
    assert held_kw(world) == 0.0
    assert world.verdicts()[:1] == [("refused", L1)]


@pytest.mark.parametrize("before_kw", [0.0, 7.0])
@pytest.mark.parametrize("ramp_kw_per_s", [0.3, 0.5, 1.0])
def test_a_slow_ramp_is_given_time(before_kw: float, ramp_kw_per_s: float) -> None:
    manners = Manners(ramp_kw_per_s=ramp_kw_per_s)
    world = World(manners=manners)
    world.begin()
    world.station.power_kw = before_kw * ramp_kw_per_s
    world.run(12.0)
    world.station.power_kw = before_kw * ramp_kw_per_s
    world.ask(-4.0).run(30.0)
    assert world.rung == L2
    assert world.proven


@pytest.mark.parametrize(("ramp_kw_per_s", "rung"), [(0.7, L2), (0.5, L2), (0.3, L0)])
def test_a_slow_ramp_from_full_power_is_no_opposition(ramp_kw_per_s: float, rung: Rung) -> None:
    world = World(manners=Manners(ramp_kw_per_s=ramp_kw_per_s))
    world.station.power_kw = 11.0
    world.begin().run(12.0)
    asked_s = world.now_s
    world.ask(-6.0).run(40.0)
    assert world.rung == rung
    assert world.settled_s() - asked_s < 30.0
    assert "opposed" not in [verdict for verdict, _ in world.verdicts()]


def test_the_meter_wins_over_a_schedule_that_lies() -> None:
    world = World(manners=Manners(schedule="full"))
    world.begin()
    world.station.power_kw = 7.0
    world.run(10.0).ask(-6.0).run(20.0)
    assert world.rung == L2
    assert world.proven
    judged = world.judged()[-1]
    assert judged.verdict == "followed"
    assert judged.scheduled_kw == pytest.approx(11.0)
    assert judged.measured_kw is not None
    assert judged.measured_kw < -5.0
    assert "schedule shows +11.0 kW" in judged.reason


@pytest.mark.parametrize("discharge", ["obey", "full"])
@pytest.mark.parametrize("schedule", ["honest", "full", "none"])
@pytest.mark.parametrize("frozen", [False, True])
def test_without_a_meter_in_time_nothing_is_trusted(
    discharge: str, schedule: str, frozen: bool
) -> None:
    manners = Manners(discharge=discharge, schedule=schedule, trigger=frozen, meter_frozen=frozen)
    manners.meter_interval_s = 60.0
    world = World(manners=manners).begin()
    asked_s = world.now_s
    world.ask(-6.0).run(30.0)
    assert world.rung == L0
    assert world.settled_s() - asked_s < 30.0
    assert held_kw(world) == 0.0
    assert "followed" not in [verdict for verdict, _ in world.verdicts()]


def test_periodic_values_are_enough_without_a_trigger() -> None:
    world = World(manners=Manners(trigger=False, meter_interval_s=10.0)).begin()
    world.ask(-6.0).run(25.0)
    assert world.rung == L2
    assert world.proven
    assert len([call for call in world.calls if call.action == "TriggerMessage"]) == 1


def test_an_empty_car_is_tried_again_with_the_next_transaction() -> None:
    world = World(manners=Manners(car_min_kw=0.0)).begin()
    for transaction_id in ("17", "18", "19"):
        world.ask(-6.0).run(30.0)
        assert world.rung == L0
        assert world.verdicts().count(("ignored", L2)) == int(transaction_id) - 16
        world.end(transaction_id)
        world.start(str(int(transaction_id) + 1))
        world.run(2.0)
    world.station.manners.car_min_kw = -11.0
    world.ask(-6.0).run(30.0)
    assert world.rung == L0, "ignored in three transactions in a row"
    world.forget()
    world.run(30.0)
    assert world.rung == L2
    assert world.proven


def test_a_car_that_gives_less_is_followed_by_its_measure() -> None:
    world = World(manners=Manners(car_min_kw=-3.0)).begin().ask(-8.0).run(30.0)
    assert world.rung == L2
    judged = world.judged()[-1]
    assert judged.verdict == "followed"
    assert judged.measured_kw == pytest.approx(-3.0)


def test_a_full_car_does_not_break_a_charging_setpoint() -> None:
    world = World(manners=Manners(car_max_kw=0.0)).begin().ask(6.0).run(30.0)
    assert world.rung == L2
    assert world.verdicts() == [("followed", L2)]


@pytest.mark.parametrize("version", list(Version))
def test_a_limit_that_is_not_obeyed_is_told(version: Version) -> None:
    settings = ChargerSettings(power_kw_max=11.0)
    world = World(version, Manners(obeys_limits=False), settings).begin().run(10.0)
    world.ask(4.0).run(30.0)
    assert world.rung == L0
    assert not world.proven
    assert world.verdicts() == [("ignored", L0)]
    assert "+4.0 kW" in world.judged()[-1].reason
    assert "+11.0 kW" in world.judged()[-1].reason


@pytest.mark.parametrize("version", list(Version))
def test_without_consent_it_rests(version: Version) -> None:
    settings = ChargerSettings(negative_limit=True, power_kw_max=11.0)
    world = World(version, settings=settings).begin().ask(-6.0).run(20.0)
    assert world.rung == L0
    assert held_kw(world) == 0.0
    assert world.verdicts() == [("refused", L0)]
    assert "consented" in world.judged()[0].reason


def test_a_car_that_cannot_is_not_asked() -> None:
    world = World().begin(bidirectional=False).ask(-6.0).run(20.0)
    assert world.verdicts() == [("refused", L0)]
    assert held_kw(world) == 0.0


def test_obedience_that_ends_is_noticed() -> None:
    world = World().begin().ask(-6.0).run(30.0)
    assert world.rung == L2
    world.station.manners.discharge = "full"
    world.run(45.0)
    assert world.rung == L0
    assert world.station.power_kw < 0.3
    assert ("opposed", L2) in world.verdicts()
    assert world.opposite_s < 25.0


@pytest.mark.parametrize("trigger", [True, False])
def test_one_that_does_not_rest_is_not_asked_to_discharge(trigger: bool) -> None:
    world = World(manners=Manners(obeys_limits=False, trigger=trigger)).begin().run(12.0)
    world.ask(-6.0).run(30.0)
    assert world.rung == L0
    assert world.settled_s() < 30.0
    assert all(setpoint >= 0.0 for setpoint in told_kw(world))
    refused, ignored = world.judged()
    assert refused.verdict == "refused"
    assert "it does not rest when it is told to: the meter shows +11.0 kW" in refused.reason
    assert (ignored.verdict, ignored.power_kw) == ("ignored", -6.0)


def test_a_car_is_at_rest_before_it_is_asked_to_discharge() -> None:
    world = World().begin().run(12.0)
    world.ask(-6.0)
    while not any(setpoint < 0.0 for setpoint in told_kw(world)):
        power_kw = world.station.power_kw
        world.run(0.1)
        assert world.now_s < 20.0
    assert power_kw <= 0.3


def test_a_schedule_that_shows_charging_is_believed_for_the_moment() -> None:
    """Without a meter in time it ends the attempt, for this transaction; a meter that shows the contrary brings it back."""
    manners = Manners(schedule="full", trigger=False, meter_interval_s=10.0)
    world = World(manners=manners).begin().ask(-6.0).run(14.0)
    opposed = world.judged()[0]
    assert (opposed.verdict, opposed.for_good) == ("opposed", False)
    assert "composite schedule shows +11.0 kW and no meter says otherwise" in opposed.reason
    late = MeterReading(world.now_unix_us, power_kw=-5.0)
    world.tell(MeterRead(1, (late,)))
    world.run(30.0)
    assert world.rung == L2
    assert world.proven
    assert [verdict for verdict, _ in world.verdicts()][-1] == "followed"


def test_what_the_meter_showed_is_for_good() -> None:
    world = World(manners=Manners(discharge="full")).begin().ask(-6.0).run(30.0)
    assert [judged.for_good for judged in world.judged()] == [True, False]


def test_a_request_is_refused_once_and_rests_by_then() -> None:
    world = World(Version.V16, settings=ChargerSettings(power_kw_max=11.0)).begin()
    for minute in range(20):
        world.ask(-6.0 - minute % 3).run(60.0)
    [judged] = world.judged()
    assert judged.verdict == "refused"
    assert judged.reason.endswith("; it holds 0 kW")


def test_one_that_takes_no_limit_is_not_said_to_hold_it() -> None:
    world = World(manners=Manners(refuse={"ChargingOnly": ("Rejected", "", "")}))
    world.begin().ask(-6.0).run(30.0)
    [judged] = world.judged()
    assert judged.verdict == "refused"
    assert "it holds" not in judged.reason
    assert "nor does it rest" in judged.reason


def test_what_cannot_be_seen_is_told_so() -> None:
    world = World(manners=Manners(meter_frozen=True)).begin().ask(-6.0).run(30.0)
    [judged] = world.judged()
    assert "no reading of power" in judged.reason


@pytest.mark.parametrize("power_kw", [-6.0, 0.0, 6.0])
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_steady_setpoint_takes_less_than_a_call_a_minute(power_kw: float, dynamic: bool) -> None:
    world = World().begin()
    if dynamic:
        world.dynamic()
    world.ask(power_kw).run(120.0)
    calls = len(world.calls)
    for _ in range(30):
        world.ask(power_kw).run(60.0)
    assert len(world.calls) - calls < 30


@pytest.mark.parametrize("after_s", [0.1, 1.0, 3.0])
def test_a_search_that_was_called_off_begins_anew(after_s: float) -> None:
    world = World().begin().run(12.0)
    world.ask(-6.0).run(after_s).ask(0.0).run(60.0)
    world.ask(-6.0).run(10.0)
    assert world.rung == L2
    assert world.proven
    assert world.station.power_kw == pytest.approx(-6.0)


def test_a_charger_that_can_after_all_is_tried_then() -> None:
    world = World(manners=Manners(refuse={"CentralSetpoint": ("Rejected", "", "")}))
    world.begin().ask(-6.0).run(60.0)
    assert world.rung == L0
    world.station.manners.refuse.clear()
    world.forget()
    world.run(10.0)
    assert world.rung == L2
    assert world.proven


@pytest.mark.parametrize("discharge", ["obey", "full"])
def test_clocks_with_whole_seconds_are_no_hindrance(discharge: str) -> None:
    world = World(manners=Manners(discharge=discharge, clock_s=1)).begin().run(10.0)
    world.ask(-6.0).run(30.0)
    assert world.rung == (L2 if discharge == "obey" else L0)
    assert world.verdicts()[0] == ("followed" if discharge == "obey" else "opposed", L2)
    assert world.opposite_s <= 3.0 + 3.2
