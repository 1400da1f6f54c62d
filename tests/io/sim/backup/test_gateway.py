"""The virtual gateway's physics: contacts that take their time, lie or stick, the interlock, and the lease."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.gateway import Contact, TransferAction
from parkwatt.io.sim.backup.gateway import (
    POLES,
    GatewaySettings,
    PoleName,
    Side,
    VirtualGateway,
)
from parkwatt.io.sim.backup.pole import AUXILIARIES, SECOND_US, PoleFaults

START_US = 1_763_841_600 * SECOND_US
LIVE = Side((1.0, 1.0, 1.0), 50.0)
DEAD = Side((0.0, 0.0, 0.0), None)


def gateway(**settings: object) -> VirtualGateway:
    return VirtualGateway(START_US, GatewaySettings(**settings))  # type: ignore[arg-type]


def wait(device: VirtualGateway, seconds: float) -> None:
    device.pass_time(device.now_us + round(seconds * SECOND_US))


def islanded(**settings: object) -> VirtualGateway:
    device = gateway(**settings)
    for action in ("open_grid_pole", "close_bond", "close_island_source"):
        assert device.command(action).accepted
        wait(device, 0.2)
    return device


def test_contacts_follow_their_coil_after_a_while() -> None:
    device = gateway(actuation_s=0.1)
    device.command("open_grid_pole")
    wait(device, 0.099)
    assert device.is_closed("grid_pole")
    wait(device, 0.001)
    assert not device.is_closed("grid_pole")


def test_the_way_to_an_island_closes_nothing_together() -> None:
    device = islanded()
    assert [device.is_closed(name) for name in POLES] == [False, True, True]
    assert device.counters.both_closed_s == 0.0
    assert device.counters.double_bond_s == 0.0


def test_the_interlock_refuses_and_counts() -> None:
    device = gateway()
    answer = device.command("close_island_source")
    assert not answer.accepted
    assert "grid_pole" in answer.reason
    wait(device, 1.0)
    assert not device.is_closed("island_source")
    assert device.counters.interlock_blocks == 1


def test_without_interlock_both_close_and_every_second_counts() -> None:
    device = gateway(interlock=False, actuation_s=0.1)
    assert device.command("close_island_source").accepted
    wait(device, 2.1)
    assert device.is_closed("island_source")
    assert device.counters.both_closed_s == pytest.approx(2.0)


def test_a_race_that_was_asked_for_in_order_is_caught_by_the_mechanics() -> None:
    device = gateway()
    device.command("open_grid_pole")
    wait(device, 1.0)
    assert device.command("close_grid_pole").accepted
    assert device.command("close_island_source").accepted  # neither is closed yet
    wait(device, 1.0)
    assert device.counters.interlock_blocks == 1
    assert device.counters.both_closed_s == 0.0
    device.command("open_grid_pole")
    wait(device, 5.0)
    assert not device.is_closed("island_source"), "what was refused does not happen later"


def test_the_source_opens_when_its_lease_is_not_renewed() -> None:
    device = islanded(lease_s=15)
    for _ in range(3):
        wait(device, 10.0)
        assert device.is_closed("island_source")
        device.command("close_island_source")
    wait(device, 14.9)
    assert device.is_closed("island_source")
    wait(device, 0.3)
    assert not device.is_closed("island_source")
    assert device.counters.leases_expired == 1


def test_writing_the_lease_renews_it() -> None:
    device = islanded(lease_s=15)
    wait(device, 14.0)
    assert device.renew_lease(60).accepted
    wait(device, 59.0)
    assert device.is_closed("island_source")
    wait(device, 1.2)
    assert not device.is_closed("island_source")
    assert not device.renew_lease(0).accepted


@pytest.mark.parametrize("name", POLES)
@pytest.mark.parametrize("auxiliary", AUXILIARIES)
def test_what_an_auxiliary_contact_tells_has_nothing_to_do_with_the_pole(
    name: PoleName, auxiliary: str
) -> None:
    device = gateway(interlock=False)
    before = getattr(device.reading(LIVE, 1.0), name)
    device.poles[name].faults = PoleFaults(auxiliary=auxiliary)  # type: ignore[arg-type]
    device.poles[name].command("open" if before == "closed" else "closed", START_US)
    wait(device, 1.0)
    assert device.is_closed(name) == (before == "open")
    told = getattr(device.reading(LIVE, 1.0), name)
    after = "closed" if before == "open" else "open"
    expected = {"honest": after, "silent": None, "frozen": before}
    assert told == expected.get(auxiliary, auxiliary)


def test_a_pole_that_sticks_stays_until_it_is_freed() -> None:
    device = gateway()
    pole = device.poles["grid_pole"]
    pole.faults.sticks = True
    device.command("open_grid_pole")
    wait(device, 60.0)
    assert device.is_closed("grid_pole")
    assert not device.command("close_island_source").accepted, "the interlock is mechanical"
    pole.faults.sticks = False
    wait(device, 1.0)
    assert not device.is_closed("grid_pole")


def test_a_pole_that_chatters_ends_where_its_coil_asks() -> None:
    device = gateway()
    pole = device.poles["grid_pole"]
    pole.faults.chatter_s = 1.0
    device.command("open_grid_pole")
    seen = set()
    for _ in range(60):
        wait(device, 0.025)
        seen.add(device.reading(LIVE, 1.0).grid_pole)
    assert seen == {"open", "closed"}
    assert pole.operations == 21
    assert not device.is_closed("grid_pole")


def test_a_silent_gateway_tells_old_news_with_its_old_time() -> None:
    device = gateway()
    device.reading(LIVE, 1.0)
    device.faults.silent = True
    device.command("open_grid_pole")
    wait(device, 10.0)
    told = device.reading(DEAD, 0.0)
    assert (told.measured_unix_us, told.grid_pole) == (START_US, "closed")
    device.faults.silent = False
    assert device.reading(DEAD, 0.0).grid_pole == "open"


def test_a_deaf_gateway_does_nothing_and_lets_the_lease_run_out() -> None:
    device = islanded()
    device.faults.deaf = True
    assert not device.command("open_island_source").accepted
    assert not device.renew_lease(100).accepted
    wait(device, 16.0)
    assert not device.is_closed("island_source")


@pytest.mark.parametrize(
    ("sense", "voltage_pu", "present"),
    [
        ("honest", (0.0, 0.0, 0.0), False),
        ("silent", None, None),
        ("dead", (0.0, 0.0, 0.0), False),
        ("normal", (1.0, 1.0, 1.0), True),
        ("frozen", (1.0, 1.0, 1.0), True),
    ],
)
def test_what_it_senses_may_be_wrong(
    sense: str, voltage_pu: tuple[float, ...] | None, present: bool | None
) -> None:
    device = gateway()
    device.reading(LIVE, 1.0)
    device.faults.sense = sense  # type: ignore[assignment]
    told = device.reading(DEAD, 0.0)
    assert (told.grid_voltage_pu, told.grid_present) == (voltage_pu, present)


def test_what_it_has_no_feedback_for_it_does_not_tell() -> None:
    device = gateway(reports_bond=False, reports_output_voltage=False, reports_grid_voltage=False)
    told = device.reading(LIVE, 1.0)
    assert told.bond is None
    assert told.output_voltage_pu is None
    assert told.grid_voltage_pu is None
    assert told.grid_present


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(get_args(TransferAction)),
        st.floats(0.0, 20.0),
        st.sampled_from(POLES),
        st.booleans(),
        st.sampled_from([0.0, 0.5]),
    ),
    max_size=40,
)


@given(_STEPS)
def test_with_its_interlock_it_never_closes_both(
    steps: list[tuple[TransferAction, float, PoleName, bool, float]],
) -> None:
    device = gateway()
    for action, seconds, name, sticks, chatter_s in steps:
        device.poles[name].faults = PoleFaults(sticks=sticks, chatter_s=chatter_s)
        device.command(action)
        wait(device, seconds)
        assert not (device.is_closed("grid_pole") and device.is_closed("island_source"))
    assert device.counters.both_closed_s == 0.0


@given(_STEPS)
def test_how_time_is_cut_changes_nothing(
    steps: list[tuple[TransferAction, float, PoleName, bool, float]],
) -> None:
    whole, cut = gateway(interlock=False), gateway(interlock=False)
    for action, seconds, name, sticks, chatter_s in steps:
        for device in (whole, cut):
            device.poles[name].faults = PoleFaults(sticks=sticks, chatter_s=chatter_s)
            device.command(action)
        until_us = whole.now_us + round(seconds * SECOND_US)
        whole.pass_time(until_us)
        for part in range(1, 8):
            cut.pass_time(cut.now_us + (until_us - cut.now_us) * part // 7)
        assert {name: pole.actual for name, pole in whole.poles.items()} == {
            name: pole.actual for name, pole in cut.poles.items()
        }
    assert whole.counters.both_closed_s == pytest.approx(cut.counters.both_closed_s)


def test_contacts_are_what_the_domain_calls_them() -> None:
    device = gateway()
    assert {pole.actual for pole in device.poles.values()} <= set(get_args(Contact))
