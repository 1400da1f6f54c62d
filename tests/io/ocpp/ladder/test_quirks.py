"""Quirks of chargers, with real frames of a virtual station: what profiles they take, and meters that tell no power."""

from typing import Any

import pytest

from parkwatt.domain.charger.rung import Rung
from parkwatt.io.sim.settings import Protocol
from tests.io.ocpp.ladder.link import Link

PROTOCOLS: list[Protocol] = ["1.6", "2.0.1", "2.1"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "faults",
    [
        {"stack_level_0_only": True},
        {"rate_unit": "A"},
        {"rate_unit": "W"},
        {"stack_level_0_only": True, "rate_unit": "A"},
    ],
)
def test_a_limit_finds_its_form(protocol: Protocol, faults: dict[str, Any]) -> None:
    link = Link(protocol, **faults).run(40.0).ask(3.0).run(20.0)
    assert link.station.power_kw == pytest.approx(3.0, abs=0.1)
    count = link.told()
    link.ask(5.0).run(10.0)
    assert link.station.power_kw == pytest.approx(5.0, abs=0.1)
    assert link.told() == count + 1, "it was learned"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_charger_without_profiles_of_transactions_gets_limits_as_defaults(
    protocol: Protocol,
) -> None:
    link = Link(protocol)
    link.refused_purpose = "TxProfile"
    link.run(40.0).ask(3.0).run(20.0)
    assert link.station.power_kw == pytest.approx(3.0, abs=0.1)
    last = link.profiles()[-1]
    assert last["chargingProfilePurpose"] == "TxDefaultProfile"
    assert "transactionId" not in last
    count = link.told()
    link.ask(0.0).run(10.0)
    assert link.station.power_kw == 0.0
    assert link.told() == count + 1, "it was learned"
    link.station.unplug()
    link.run(10.0)
    cleared = [payload for action, payload in link.calls if action == "ClearChargingProfile"]
    assert len(cleared) == 1, "the next car is not held by it"


@pytest.mark.parametrize("protocol", ["1.6", "2.1"])
def test_a_meter_that_tells_no_power_is_read_by_its_registers(protocol: Protocol) -> None:
    link = Link(protocol)
    link.strips_power = True
    link.run(40.0).ask(-6.0).run(40.0)
    assert link.station.power_kw == pytest.approx(-6.0, abs=0.1)
    [judged] = link.judged()
    assert judged.verdict == "followed"
    assert "by its register" in judged.reason
    assert judged.measured_kw == pytest.approx(-6.0, abs=0.6)


def test_a_register_tells_who_charges_in_place_of_discharging() -> None:
    link = Link("2.1", disobey="full_power")
    link.strips_power = True
    link.run(40.0).ask(-6.0).run(60.0)
    assert link.station.power_kw == 0.0
    judged = link.judged()
    assert judged[0].verdict == "opposed"
    assert not judged[0].for_good, "a register may move late"
    assert judged[-1].rung is Rung.LIMITS_ONLY
    assert judged[-1].reason.endswith("; it holds 0 kW")
