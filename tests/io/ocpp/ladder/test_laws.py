"""Laws that hold whatever happens, at stations of every version and manner."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkwatt.domain.charger.command import FrequencyCurve
from parkwatt.domain.charger.event import Booted, Connected
from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.call import Answer
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.ladder.station import Manners
from tests.io.ocpp.ladder.world import World

CURVE = FrequencyCurve((49.8, 50.2), (-3.0, 3.0))
REFUSALS = [
    ("Rejected", "", ""),
    ("Rejected", "UnsupportedKind", ""),
    ("Rejected", "TxNotFound", ""),
    ("", "", "NotImplemented"),
    ("", "", "PropertyConstraintViolation"),
    ("", "", "Timeout"),
]
REFUSED = ["Dynamic", "CentralSetpoint", "LocalFrequency", "negative limit", "TxDefaultProfile"]
REFUSED += ["UpdateDynamicSchedule", "GetCompositeSchedule", "TriggerMessage", "SetChargingProfile"]
REFUSED += ["ClearChargingProfile"]

manners = st.builds(
    Manners,
    discharge=st.sampled_from(["obey", "full", "nothing", "zero"]),
    obeys_limits=st.booleans(),
    refuse=st.dictionaries(st.sampled_from(REFUSED), st.sampled_from(REFUSALS), max_size=3),
    schedule=st.sampled_from(["honest", "full", "none"]),
    trigger=st.booleans(),
    meter_interval_s=st.sampled_from([1.0, 5.0, 10.0, 60.0]),
    ramp_kw_per_s=st.sampled_from([0.3, 1.0, 4.0]),
    car_max_kw=st.sampled_from([0.0, 3.0, 11.0]),
    car_min_kw=st.sampled_from([0.0, -3.0, -11.0]),
    stack_levels=st.sampled_from([(0,), (0, 1), (1,)]),
    rate_units=st.sampled_from([("W",), ("A",), ("W", "A")]),
)
charger_settings = st.builds(
    ChargerSettings,
    discharge=st.booleans(),
    negative_limit=st.booleans(),
    power_kw_max=st.sampled_from([3.7, 11.0]),
    phase_count=st.sampled_from([1, 3]),
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.floats(-15.0, 15.0), st.sampled_from([5, 40, 300])),
        st.tuples(st.just("curve"), st.floats(-10.0, 10.0), st.just(60)),
        st.tuples(
            st.sampled_from(["release", "drop", "connect", "boot", "end", "start", "forget"]),
            st.just(0.0),
            st.just(0),
        ),
    ),
    max_size=8,
)
slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def move(world: World, what: str, power_kw: float, lease_s: int) -> None:
    """Let one thing happen, at any time, in any order."""
    if what == "ask":
        world.ask(power_kw, lease_s)
    elif what == "curve":
        world.ask(power_kw, lease_s, CURVE)
    elif what == "release":
        world.release()
    elif what == "drop":
        world.drop_link()
    elif what == "connect":
        world.tell(Connected(world.station.version.value, 1, "peer"))
    elif what == "boot":
        world.tell(Booted("Vendor", "Model", firmware_version=str(world.now_s)))
    elif what == "end":
        world.end("17")
    elif what == "start":
        world.start(str(round(world.now_s * 10) + 100))
    else:
        world.forget()


@slow
@given(st.sampled_from(list(Version)), manners, charger_settings, moves, st.data())
def test_every_call_keeps_the_rules(
    version: Version,
    manner: Manners,
    settings_: ChargerSettings,
    moves_: list[tuple[str, float, int]],
    data: st.DataObject,
) -> None:
    """The world checks each call: its schema, no limit beside a set-point, nothing negative without consent."""
    world = World(version, manner, settings_).begin()
    world.say(
        V2XChargingCtrlr__SupportedOperationModes="CentralSetpoint,LocalFrequency",
        SmartChargingCtrlr__SupportsDynamicProfiles="true",
    )
    world.ask(-5.0, curve=CURVE)
    for what, power_kw, lease_s in moves_:
        move(world, what, power_kw, lease_s)
        world.run(data.draw(st.sampled_from([0.1, 1.0, 7.0, 25.0])))
        exported = world.ladder.export()
        world.ladder.restore(exported)
        assert world.ladder.export() == exported
    world.run(10.0)
    calls = len(world.calls)
    world.run(100.0)
    assert len(world.calls) - calls < 80, "it never babbles"


@slow
@given(
    st.sampled_from(list(Version)),
    manners,
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 3.0, 11.0]),
)
def test_a_request_to_discharge_never_means_charging_for_long(
    version: Version, manner: Manners, negative: bool, dynamic: bool, before_kw: float
) -> None:
    """Whatever a station makes of it, half a minute later it discharges or rests, as far as it obeys a limit at all."""
    manner.obeys_limits = True
    manner.ramp_kw_per_s = max(manner.ramp_kw_per_s, 1.0)
    manner.refuse.pop("SetChargingProfile", None)
    consented = ChargerSettings(discharge=True, negative_limit=negative, power_kw_max=11.0)
    world = World(version, manner, consented)
    world.station.power_kw = before_kw
    world.begin()
    if dynamic:
        world.dynamic()
    world.run(10.0)
    world.ask(-6.0).run(32.0)
    told_kw = world.station.asked_kw()
    if world.rung == Rung.LIMITS_ONLY:
        assert told_kw == 0.0
    else:
        assert world.proven
        assert world.station.power_kw < 0.0
    world.opposite_s = 0.0
    world.run(60.0)
    assert world.opposite_s <= 11.0 / manner.ramp_kw_per_s, "it comes to rest and stays there"


@given(st.floats(-11.0, 11.0), st.sampled_from(list(Version)))
@settings(max_examples=30, deadline=None)
def test_the_same_story_ends_the_same(power_kw: float, version: Version) -> None:
    stories = [World(version).begin().ask(power_kw).run(20.0) for _ in range(2)]
    assert stories[0].events == stories[1].events
    assert stories[0].calls == stories[1].calls


def test_answers_of_others_are_no_matter() -> None:
    world = World().begin().ask(-6.0).run(20.0)
    before = world.ladder.export()
    for call in world.calls:
        world.hear(Answer(call, status="Rejected")) if call.tag.split(":")[-1] == "0" else None
    assert world.ladder.export() == before
