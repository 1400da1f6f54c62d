"""What a virtual charger does wrong on demand. Every field may change while it runs; chance comes from the seed.

`Faults()` is a faultless charger. `set_fault` reads `name=value` as the command line and the control line give it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

from parkwatt.domain.errors import InputError, InputFault

Disobedience = Literal[
    "none",
    "full_power",
    "nothing",
    "not_implemented",
    "unsupported_kind",
    "negative_as_zero",
    "negative_as_maximum",
    "ignores_limits",
    "slow_ramp",
]
DISOBEDIENCES: tuple[Disobedience, ...] = get_args(Disobedience)
CHOICES: dict[str, tuple[str, ...]] = {
    "disobey": DISOBEDIENCES,
    "composite": ("auto", "truth", "request"),
    "seq_no": ("normal", "zero", "gaps"),
    "soc": ("normal", "stale", "missing", "zero"),
    "rate_unit": ("any", "A", "W"),
    "der": ("normal", "rejects", "lies", "forgets", "silent"),
}
# What a station without smart charging of the newer kinds refuses.
SMART_CHARGING_ACTIONS = frozenset(
    {"SetChargingProfile", "UpdateDynamicSchedule", "AFRRSignal", "SetDERControl"}
)
SLOW_RAMP_KW_PER_S = 0.05


@dataclass(slots=True)
class Faults:
    """Faults on demand.

    disobey: what becomes of an accepted profile.
        full_power: charges at full power when asked to discharge. nothing: keeps profiles that ask for more than a
        limit, and does nothing about them. not_implemented: no smart charging. unsupported_kind: no dynamic
        profiles. negative_as_zero, negative_as_maximum: how a negative number is read. ignores_limits: accepts
        all, always charges at full power. slow_ramp: 0.05 kW per second.
    composite: what the composite schedule shows under disobedience: the truth, or the request. auto: the truth with
        negative_as_*, else the request.
    link_loss_every_s, link_loss_s: mean time between losses of the link (0: none) and how long one lasts.
    late_s: queued transaction messages wait that long after the link is back. shuffle: and come out of order.
    duplicate, malformed: probability that a frame is sent twice, or broken.
    clock_skew_s: the station's clock is ahead by so much. clock_1970: it starts at 1970 until boot is accepted.
    reboot_every_s: mean time between reboots (0: none).
    mute: never answers a request. answer_delay_s: answers late. ignore_pings: sends no pong.
    der: what becomes of grid-code controls. rejects: none is taken. lies: an accepted EnterService is held without its
        delay. forgets: a reboot loses all. silent: no report comes.
    stack_level_0_only, rate_unit: which profiles are accepted. refuse: actions answered with NotImplemented.
    """

    disobey: Disobedience = "none"
    composite: str = "auto"
    link_loss_every_s: float = 0.0
    link_loss_s: float = 30.0
    late_s: float = 0.0
    shuffle: bool = False
    duplicate: float = 0.0
    malformed: float = 0.0
    seq_no: str = "normal"
    clock_skew_s: float = 0.0
    clock_1970: bool = False
    soc: str = "normal"
    reboot_every_s: float = 0.0
    mute: bool = False
    answer_delay_s: float = 0.0
    ignore_pings: bool = False
    stack_level_0_only: bool = False
    rate_unit: str = "any"
    der: str = "normal"
    refuse: frozenset[str] = frozenset()

    def refuses(self, action: str) -> bool:
        """Whether the action is answered with NotImplemented."""
        if self.disobey == "not_implemented" and action in SMART_CHARGING_ACTIONS:
            return True
        return action in self.refuse

    def shows_request(self) -> bool:
        """Whether the composite schedule shows what was asked instead of what happens."""
        if self.composite == "auto":
            return self.disobey not in ("negative_as_zero", "negative_as_maximum")
        return self.composite == "request"


NAMES = tuple(field.name for field in dataclasses.fields(Faults))


def set_fault(faults: Faults, text: str) -> None:
    """Set one fault from ``name=value`` (``name`` alone switches a yes-or-no fault on).

    Raises InputError naming the fault where the name is unknown or the value does not fit.
    """
    name, _, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if name not in NAMES:
        raise InputError([InputFault("fault", f"must be one of {', '.join(NAMES)}", name)])
    present = getattr(faults, name)
    setattr(faults, name, _read(name, value.strip(), present))


def _read(name: str, value: str, present: object) -> object:
    if isinstance(present, bool):
        if value.lower() not in ("", "yes", "no", "true", "false", "1", "0"):
            raise InputError([InputFault(f"fault {name}", "must be yes or no", value)])
        return value.lower() in ("", "yes", "true", "1")
    if isinstance(present, float):
        try:
            number = float(value)
        except ValueError:
            raise InputError([InputFault(f"fault {name}", "must be a number", value)]) from None
        if number != number or (number < 0 and name != "clock_skew_s"):
            raise InputError([InputFault(f"fault {name}", "must not be negative", value)])
        if name in ("duplicate", "malformed") and number > 1:
            raise InputError([InputFault(f"fault {name}", "must be from 0 to 1", value)])
        return number
    if isinstance(present, frozenset):
        return frozenset(part for part in value.replace("+", ",").split(",") if part)
    if value not in CHOICES[name]:
        raise InputError(
            [InputFault(f"fault {name}", f"must be one of {', '.join(CHOICES[name])}", value)]
        )
    return value
