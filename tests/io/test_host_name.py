"""Names of machines in settings."""

from __future__ import annotations

import pytest

from parkwatt.domain.record import Faults, Record
from parkwatt.io.host_name import read_host


def faults_of(host: object) -> list[str]:
    """What is wrong with a host."""
    faults = Faults()
    read_host(Record({"host": host}, "x", faults))
    return [str(fault) for fault in faults.found]


@pytest.mark.parametrize("host", ["meter", "meter.local", "meter.local.", "192.168.1.2", "fe80::1"])
def test_names_and_addresses_are_taken(host: str) -> None:
    assert faults_of(host) == []


@pytest.mark.parametrize(
    "host",
    ["", "http://m", "m:502", "a..b", "m/x", "user@m", " m", "m\n", "[::1]", "x" * 64, 5],
)
def test_anything_else_is_a_fault(host: object) -> None:
    assert len(faults_of(host)) == 1
