"""A set-point's life: defaults before it, renewal, release, lapse, links that drop, chargers that boot, quirks, restarts."""

import time

import msgspec
import pytest

from parkwatt.domain.charger.command import FrequencyCurve, SetPower
from parkwatt.domain.charger.event import (
    Booted,
    CarNeeds,
    ChargerEvent,
    ClockTicked,
    CommandAnswered,
    CommandSent,
    Connected,
    MeterRead,
    RungChanged,
    SetpointReleased,
    TransactionReported,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp.call import Answer
from parkwatt.io.ocpp.ladder import Ladder
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.ladder.station import Manners
from tests.io.ocpp.ladder.world import EVSE_ID, START_UNIX_US, World

CURVE = FrequencyCurve((49.8, 50.0, 50.2), (-2.0, 0.0, 2.0))


@pytest.mark.parametrize("version", list(Version))
def test_the_default_is_there_before_any_setpoint(version: Version) -> None:
    world = World(version).begin().ask(6.0).run(2.0)
    changes = [call for call in world.calls if call.action == "SetChargingProfile"]
    profiles = [
        call.payload.get("chargingProfile") or call.payload["csChargingProfiles"]
        for call in changes
    ]
    assert [profile["chargingProfilePurpose"] for profile in profiles] == [
        "TxDefaultProfile",
        "TxProfile",
    ]
    assert profiles[0]["stackLevel"] == 0
    assert changes[0].payload.get("evseId", changes[0].payload.get("connectorId")) == 0
    assert world.station.power_kw > 0.0


def test_nothing_is_sent_before_the_boot() -> None:
    world = World()
    world.tell(Connected("ocpp2.1", 1, "peer"))
    world.start("17")
    world.ask(-6.0).run(29.0)
    assert world.calls == []
    world.run(5.0)
    assert world.actions("default") == ["SetChargingProfile"]
    assert "SetChargingProfile" in world.actions()


def test_a_charger_that_has_to_wait_is_left_alone() -> None:
    world = World()
    world.tell(Connected("ocpp2.1", 1, "peer"))
    world.tell(Booted("Vendor", "Model", accepted=False))
    world.start("17")
    world.ask(-6.0).run(100.0)
    assert world.calls == []
    world.tell(Booted("Vendor", "Model"))
    world.run(2.0)
    assert "SetChargingProfile" in world.actions()


@pytest.mark.parametrize("version", list(Version))
def test_a_default_refused_for_all_is_given_to_each(version: Version) -> None:
    world = World(version, Manners(rate_units=("A",)))
    world.begin().ask(6.0).run(5.0)
    defaults = [call for call in world.calls if call.purpose == "default"]
    assert len(defaults) == 2
    assert world.station.asked_kw() == pytest.approx(6.0, abs=0.1)


def test_a_default_that_is_refused_in_every_way_does_not_stop_setpoints() -> None:
    world = World(manners=Manners(refuse={"TxDefaultProfile": ("Rejected", "", "")}))
    world.begin().ask(-6.0).run(20.0)
    sent = [call for call in world.calls if call.purpose == "default"]
    assert [call.payload["evseId"] for call in sent] == [0, 0, 1, 1]
    assert world.proven


def test_a_default_cleared_by_hand_comes_back() -> None:
    world = World().begin().ask(-6.0).run(20.0)
    world.station.profiles.clear()
    world.tell(CommandSent("h1", "ClearChargingProfile", msgspec.Raw(b"{}"), "hand", "a test"))
    world.tell(CommandAnswered("h1", "ClearChargingProfile", "Accepted"))
    world.run(3.0)
    assert len(world.station.profiles) == 2


@pytest.mark.parametrize("version", list(Version))
def test_quirks_are_learned_once(version: Version) -> None:
    manners = Manners(stack_levels=(0,), rate_units=("A",))
    world = World(version, manners, ChargerSettings(power_kw_max=11.0)).begin()
    world.ask(6.0).run(10.0)
    assert world.station.asked_kw() == pytest.approx(6.0, abs=0.1)
    before = len(world.actions())
    world.ask(3.0).run(10.0)
    assert len(world.actions()) == before + 1
    assert world.station.asked_kw() == pytest.approx(3.0, abs=0.1)


def test_what_the_charger_says_of_its_schedules_is_heeded() -> None:
    world = World(Version.V16, Manners(rate_units=("A",), stack_levels=(0,)))
    world.state.variables["ChargeProfileMaxStackLevel"] = "0"
    world.state.variables["ChargingScheduleAllowedChargingRateUnit"] = "Current"
    world.begin().ask(6.0).run(5.0)
    assert world.actions("default") == ["SetChargingProfile"]
    assert world.actions() == ["SetChargingProfile"]


def test_a_request_waits_for_its_transaction_while_the_lease_runs() -> None:
    world = World(Version.V16)
    world.tell(Connected("ocpp1.6", 1, "peer"))
    world.tell(Booted("Vendor", "Model"))
    world.ask(3.0, lease_s=60).run(30.0)
    assert world.actions() == []
    world.start("5")
    world.run(1.0)
    assert world.actions() == ["SetChargingProfile"]
    payload = (
        world.calls[-1].payload if world.calls[-1].purpose == "setpoint" else world.calls[1].payload
    )
    profile = payload["csChargingProfiles"]
    assert profile["transactionId"] == 5
    assert profile["chargingSchedule"]["duration"] == 30
    world.end("5")
    world.run(40.0)
    world.start("6")
    world.run(1.0)
    assert world.actions() == ["SetChargingProfile"], "the lease is over"


@pytest.mark.parametrize("dynamic", [False, True])
def test_renewed_leases_are_sent_calmly(dynamic: bool) -> None:
    world = World().begin()
    if dynamic:
        world.dynamic()
    world.ask(-6.0, lease_s=300).run(60.0)
    for _ in range(19):
        world.ask(-6.01, lease_s=300).run(60.0)
        assert world.station.power_kw == pytest.approx(-6.0, abs=0.05)
    assert 7 <= len(world.actions()) <= 9, "every 150 to 180 s in 1200 s"
    assert not [event for event in world.events if isinstance(event, SetpointReleased)]


def test_a_lease_that_lapses_frees_the_charger() -> None:
    world = World().begin().ask(-6.0, lease_s=60).run(59.0)
    assert world.station.power_kw < 0.0
    world.run(5.0)
    released = [event for event in world.events if isinstance(event, SetpointReleased)]
    assert [event.lapsed for event in released] == [True]
    assert world.actions()[-1] == "ClearChargingProfile"
    world.run(10.0)
    assert world.station.power_kw == pytest.approx(11.0)


def test_a_lease_lapses_at_the_charger_even_if_we_are_gone() -> None:
    world = World().begin().ask(-6.0, lease_s=60).run(30.0)
    world.drop_link()
    world.run(40.0)
    assert world.station.power_kw > 0.0


def test_a_lease_that_is_cut_short_is_told_to_the_charger() -> None:
    world = World().begin().ask(-6.0, lease_s=300).run(10.0).ask(-6.0, lease_s=30).run(1.0)
    world.drop_link()
    world.run(40.0)
    assert world.station.power_kw > 0.0


def test_release_gives_the_charger_back() -> None:
    world = World().begin().ask(-6.0).run(10.0).release().run(10.0)
    assert world.station.power_kw == pytest.approx(11.0)
    released = [event for event in world.events if isinstance(event, SetpointReleased)]
    assert [event.lapsed for event in released] == [False]
    assert len(world.release().run(1.0).events) == len(world.events)


def test_a_setpoint_is_sent_again_after_a_lost_link() -> None:
    world = World().begin().ask(-6.0).run(20.0)
    world.drop_link()
    world.run(20.0)
    world.station.profiles.clear()
    world.tell(Connected("ocpp2.1", 1, "peer"))
    world.run(8.0)
    assert world.station.asked_kw() == pytest.approx(-6.0)
    assert world.rung == Rung.CENTRAL_SETPOINT


def test_after_a_boot_everything_is_installed_again() -> None:
    world = World().begin().ask(-6.0).run(20.0)
    world.station.profiles.clear()
    world.tell(Booted("Vendor", "Model", firmware_version="1.0"))
    world.run(3.0)
    assert len(world.station.profiles) == 2
    assert world.station.asked_kw() == pytest.approx(-6.0)


def test_other_firmware_gets_another_chance() -> None:
    world = World(manners=Manners(discharge="full")).begin().ask(-6.0).run(30.0)
    world.station.manners.discharge = "obey"
    world.tell(Booted("Vendor", "Model", firmware_version="1.0"))
    world.run(30.0)
    assert world.rungs()[-1] == Rung.LIMITS_ONLY
    world.tell(Booted("Vendor", "Model", firmware_version="1.1"))
    world.run(30.0)
    assert world.rungs()[-1] == Rung.CENTRAL_SETPOINT
    assert world.proven


def test_a_charger_that_never_answers_ends_at_rest() -> None:
    world = World().begin()
    world._due.clear()
    world.ask(-6.0)
    call = world.calls[-1]
    world._due.clear()
    world.run(10.0)
    world.hear(Answer(call, error="Timeout"))
    world.run(19.0)
    assert world.rung == Rung.LIMITS_ONLY


def test_a_frequency_response_is_used_where_asked_for() -> None:
    world = World().begin()
    world.say(V2XChargingCtrlr__SupportedOperationModes="CentralSetpoint,LocalFrequency")
    world.ask(-5.0, curve=CURVE).run(20.0)
    assert world.rungs()[-1] == Rung.LOCAL_FREQUENCY
    assert world.proven
    world.ask(-5.0).run(20.0)
    assert world.rung == Rung.CENTRAL_SETPOINT
    assert world.state.evse(EVSE_ID).rung_highest == Rung.LOCAL_FREQUENCY


def test_a_frequency_response_that_is_refused_leaves_the_setpoint() -> None:
    world = World(manners=Manners(refuse={"LocalFrequency": ("Rejected", "NoFreqWattCurve", "")}))
    world.begin().say(V2XChargingCtrlr__SupportedOperationModes="CentralSetpoint,LocalFrequency")
    world.ask(-5.0, curve=CURVE).run(20.0)
    assert world.verdicts() == [
        ("refused", Rung.LOCAL_FREQUENCY),
        ("followed", Rung.CENTRAL_SETPOINT),
    ]


def test_impossible_commands_name_all_their_faults() -> None:
    command = SetPower(0, float("nan"), 0, "a test", FrequencyCurve((50.0, 49.0), (1.0,)))
    with pytest.raises(InputError) as caught:
        Ladder(ChargerSettings()).ask(ChargerState("c"), command, START_UNIX_US)
    fields = [fault.field for fault in caught.value.faults]
    assert fields == [
        "evse_id",
        "power_kw",
        "lease_s",
        "frequency_curve",
        "frequency_curve.frequency_hz",
    ]


def test_a_charger_pulls_its_setpoint() -> None:
    world = World().begin().dynamic().ask(-6.0, lease_s=60).run(10.0)
    profile_id = max(world.station.profiles)
    pulled = world.ladder.dynamic_update(world.state, profile_id, world.now_unix_us)
    assert pulled == {"setpoint": -6000}
    assert world.ladder.dynamic_update(world.state, profile_id + 1, world.now_unix_us) is None
    world.run(60.0)
    assert world.ladder.dynamic_update(world.state, profile_id, world.now_unix_us) is None


def test_ticks_that_decide_are_written_first() -> None:
    world = World().begin().ask(-6.0).run(30.0)
    assert any(isinstance(event, ClockTicked) for event in world.events)
    later = world.ladder.tick(world.state, world.now_unix_us)
    assert later.events == []
    step = world.ladder.tick(world.state, world.now_unix_us + 300 * 10**6)
    assert isinstance(step.events[0], ClockTicked)
    assert isinstance(step.events[1], SetpointReleased)


@pytest.mark.parametrize("discharge", ["obey", "full", "nothing"])
def test_a_ladder_goes_through_json_at_any_moment(discharge: str) -> None:
    def final(stop_s: float | None) -> tuple[list[tuple[str, Rung]], bytes]:
        world = World(manners=Manners(discharge=discharge)).begin().ask(-6.0)
        if stop_s is not None:
            world.run(stop_s)
            fresh = Ladder(world.settings)
            fresh.restore(world.ladder.export())
            wake = world.ladder.next_tick_unix_us
            world.ladder = fresh
            assert wake is None or fresh.next_tick_unix_us is not None
        world.run(30.0 - (stop_s or 0.0))
        return world.verdicts(), world.ladder.export()

    whole = final(None)
    assert all(final(stop_s) == whole for stop_s in (0.1, 1.0, 3.0, 5.0, 9.0, 15.0))


@pytest.mark.parametrize(("discharge", "trusted"), [("obey", True), ("full", False)])
def test_a_journal_folded_after_a_restart_gives_the_trust_back(
    discharge: str, trusted: bool
) -> None:
    world = World(manners=Manners(discharge=discharge)).begin()
    journal: list[ChargerEvent] = [
        Connected("ocpp2.1", 1, "peer"),
        Booted("Vendor", "Model", firmware_version="1.0"),
        TransactionReported("17", "started", EVSE_ID),
        CarNeeds(EVSE_ID, "DC_BPT", True, True),
    ]
    world.ask(-6.0).run(30.0)
    fresh = World(manners=Manners(discharge="obey"))
    for event in [*journal, *world.events]:
        fresh.state.apply(event, world.now_unix_us)
        fresh.ladder.observe(fresh.state, event, world.now_unix_us)
    fresh.now_s = world.now_s
    fresh.drop_link()
    fresh.tell(Connected("ocpp2.1", 1, "peer"))
    fresh.run(30.0)
    assert (fresh.rung == Rung.CENTRAL_SETPOINT) == trusted
    assert fresh.station.asked_kw() == pytest.approx(-6.0 if trusted else 0.0)


def test_a_setpoint_costs_little() -> None:
    """10,000 chargers get one within a second: the ladder takes some 15 µs of each 100 µs, and never all of it."""
    settings = ChargerSettings(discharge=True)
    ladder, state = Ladder(settings), ChargerState("c")
    events: list[ChargerEvent] = [
        Connected("ocpp2.1", 1, "peer"),
        Booted("Vendor", "Model"),
        TransactionReported("17", "started", EVSE_ID),
        CarNeeds(EVSE_ID, "DC_BPT", True, True),
    ]
    for event in events:
        state.apply(event, START_UNIX_US)
        ladder.observe(state, event, START_UNIX_US)
    ladder.memory.default = "installed"
    ladder.memory.evse(EVSE_ID).proven.append(Rung.CENTRAL_SETPOINT)
    commands = [SetPower(EVSE_ID, -5.0 - step % 7, 300, "a test") for step in range(1000)]
    best_s = float("inf")
    for _ in range(5):
        began_s = time.perf_counter()
        sent = sum(
            len(ladder.ask(state, command, START_UNIX_US + at).calls)
            for at, command in enumerate(commands)
        )
        best_s = min(best_s, (time.perf_counter() - began_s) / len(commands))
        assert sent == len(commands)
    assert best_s < 100e-6, f"{best_s * 1e6:.1f} µs"


def test_every_change_of_rung_says_why() -> None:
    world = World(manners=Manners(discharge="full")).begin().ask(-6.0).run(30.0)
    changes = [event for event in world.events if isinstance(event, RungChanged)]
    assert all(len(change.reason) > 20 for change in changes)
    assert any("-6.0 kW" in change.reason for change in changes)
    unknown = MeterRead(9, (MeterReading(power_kw=1.0),))
    assert world.ladder.observe(world.state, unknown, world.now_unix_us).events == []
