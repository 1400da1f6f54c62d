"""Starts and stops that follow the meter, made rarer: a device's contactor has only so many of them.

Clouds and kettles move the surplus across zero many times an hour. So a charger that charges from the surplus goes on
with next to nothing through a short gap, and one that rests starts only once waiting has forgone some energy, as one who
rents buys when the rent has come to the price. How much grows with the switchings that were used lately, so that some are
left for a great demand. What the plan itself changes is never held up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from parkwatt.site.guard.facts import Proposal

_US: Final = 1_000_000
_HOUR_US: Final = 3600 * _US
_NOTHING_KW: Final = 0.05
# What is drawn through a gap of the surplus, and for how long at most.
_GAP_KW: Final = 0.1
_GAP_US: Final = 900 * _US
# How long a wish to start has to last at least, and the energy that waiting has forgone by then: with few switchings
# used, and what is added, by the square of their share, when all are. 5 Wh at 20 ct/kWh are a thousandth of a euro, which
# is what a switching costs of a contactor of 50 € that lasts 50,000.
_START_US: Final = 15 * _US
_FORGONE_KWH: Final = 0.005
_FORGONE_KWH_MORE: Final = 0.25
# A step stands for at most this long.
_STEP_US_MAX: Final = 30 * _US


def _direction(power_kw: float) -> int:
    if power_kw > _NOTHING_KW:
        return 1
    return -1 if power_kw < -_NOTHING_KW else 0


@dataclass(slots=True)
class _Asked:
    """What the meter asks for: a direction, since when, when it last did, and the energy that waiting has forgone since."""

    direction: int
    since_unix_us: int
    last_unix_us: int
    forgone_kwh: float = 0.0


@dataclass(slots=True)
class Calm:
    """Remembers, for each connection point, since when the meter has asked for another direction."""

    _asked: dict[str, _Asked] = field(default_factory=dict)

    def smooth(
        self, key: str, proposal: Proposal, held_kw: float, used_share: float, now_unix_us: int
    ) -> Proposal:
        """The proposal, or what bridges a gap. ``held_kw``: what it holds now. ``used_share``: of its switchings."""
        if not proposal.following or proposal.power_kw is None:
            self._asked.pop(key, None)
            return proposal
        wanted, held = _direction(proposal.power_kw), _direction(held_kw)
        if wanted == held:
            self._asked.pop(key, None)
            return proposal
        asked = self._asked.get(key)
        if asked is None or asked.direction != wanted or now_unix_us < asked.last_unix_us:
            asked = self._asked[key] = _Asked(wanted, now_unix_us, now_unix_us)
        passed_us = min(now_unix_us - asked.last_unix_us, _STEP_US_MAX)
        asked.forgone_kwh += abs(proposal.power_kw) * passed_us / _HOUR_US
        asked.last_unix_us = now_unix_us
        lasted_us = now_unix_us - asked.since_unix_us
        worth_kwh = _FORGONE_KWH + _FORGONE_KWH_MORE * used_share**2
        may_start = lasted_us >= _START_US and asked.forgone_kwh >= worth_kwh
        if held > 0 and not (lasted_us >= _GAP_US if wanted == 0 else may_start):
            return replace(proposal, power_kw=_GAP_KW)
        if held <= 0 and wanted != 0 and not may_start:
            return replace(proposal, power_kw=0.0)
        return proposal
