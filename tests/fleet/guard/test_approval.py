"""The last look at one car's set-point."""

from __future__ import annotations

import math

import pytest

from parkwatt.domain.charger.command import SetPower
from parkwatt.fleet.guard.approval import Allowed, approve


@pytest.mark.parametrize(
    ("asked_kw", "sent_kw"),
    [(5.0, 5.0), (12.0, 11.0), (-12.0, -7.4), (-0.0, 0.0), (0.0001, 0.0)],
)
def test_no_more_than_is_allowed_is_sent(asked_kw: float, sent_kw: float) -> None:
    approved = approve(
        Allowed("CP-1", 1, 11.0, 7.4), asked_kw, lease_s=60, reason="x", following=True
    )
    assert approved is not None
    command = approved.command
    assert isinstance(command, SetPower)
    assert command.power_kw == sent_kw
    assert math.copysign(1.0, command.power_kw) == (1.0 if sent_kw >= 0.0 else -1.0)
    cut = abs(asked_kw) > 11.0
    assert command.following is not cut
    assert ("allowed here" in command.reason) is cut


def test_who_did_not_agree_gives_nothing() -> None:
    approved = approve(Allowed("CP-1", 1, 11.0, 0.0), -5.0, lease_s=60, reason="x", following=False)
    assert approved is not None
    assert isinstance(approved.command, SetPower)
    assert approved.command.power_kw == 0.0


@pytest.mark.parametrize("power_kw", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_sent(power_kw: float) -> None:
    found = approve(
        Allowed("CP-1", 1, 11.0, 11.0), power_kw, lease_s=60, reason="x", following=False
    )
    assert found is None or found.command.evse_id == 1
    if found is not None:
        assert isinstance(found.command, SetPower)
        assert math.isfinite(found.command.power_kw)
