"""What the program sees of a home's devices, whatever they speak.

A link runs for ever, tells readings as they come, and connects anew by itself. What it is asked for it sends once, at once or
not at all: it repeats nothing by itself, since a lease must lapse when nobody renews it. A reading of what was done comes back
as every other reading does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.gateway import ApprovedTransfer, GatewayReading
from parkwatt.domain.site.event import SourceChanged

OnState = Callable[[SourceChanged], None]


class DeviceError(Exception):
    """A device was not told what it should have been; the text says why."""


@dataclass(frozen=True, slots=True)
class BatteryReading:
    """A stationary battery as last told. ``soc``: 0 to 1, None is unknown."""

    measured_unix_us: int
    soc: float | None


class GatewayLink(Protocol):
    """A transfer switch or gateway."""

    async def run(
        self, on_reading: Callable[[GatewayReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings. ``on_state``: once when the gateway fails, and once when it is well again (`gateway`)."""

    async def request(self, transfer: ApprovedTransfer) -> None:
        """Ask for a transfer. Returns when the device or the broker has taken it, which says nothing of what it does.

        Raises TypeError for anything else than an `ApprovedTransfer`; DeviceError where it could not be sent.
        """


class CircuitsLink(Protocol):
    """All circuits that are told or switched in the same way."""

    @property
    def circuit_ids(self) -> frozenset[str]:
        """Those that this link tells or switches."""

    async def run(
        self, on_reading: Callable[[CircuitReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings. ``on_state``: once when something fails, and once when it is well again (`circuit.<id>`)."""

    async def command(self, command: CircuitCommand) -> None:
        """Switch a circuit. Raises DeviceError where it could not be sent."""


class BatteryLink(Protocol):
    """A stationary battery's state of charge."""

    async def run(
        self, on_reading: Callable[[BatteryReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings. ``on_state``: once when the battery fails, and once when it is well again (`home battery`)."""
