"""Starts and stops that follow the meter, made rarer: a device's contactor has only so many of them.

Clouds and kettles move the surplus across zero many times an hour. So a charger that charges from the surplus goes on
with next to
nothing through a short gap, and one that rests starts only when what asks for it has lasted. How long it has to last
grows with the
switchings that the day has seen already, so that some are left for the evening. What the plan itself changes is never
held up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from parkwatt.site.guard.facts import Proposal

_US: Final = 1_000_000
_NOTHING_KW: Final = 0.05
# What is drawn through a gap of the surplus, and for how long at most.
_GAP_KW: Final = 0.1
_GAP_US: Final = 900 * _US
# How long a wish to start has to last when the day is new; it grows with the square of the share of switchings used.
_START_S: Final = 15.0
_START_S_MORE: Final = 1800.0


def _direction(power_kw: float) -> int:
    if power_kw > _NOTHING_KW:
        return 1
    return -1 if power_kw < -_NOTHING_KW else 0


@dataclass(slots=True)
class Calm:
    """Remembers, for each connection point, since when the meter has asked for another direction."""

    _since: dict[str, tuple[int, int]] = field(default_factory=dict)

    def smooth(
        self, key: str, proposal: Proposal, held_kw: float, used_share: float, now_unix_us: int
    ) -> Proposal:
        """The proposal, or what bridges a gap. ``held_kw``: what it holds now. ``used_share``: of the switchings of a day."""
        if not proposal.following or proposal.power_kw is None:
            self._since.pop(key, None)
            return proposal
        wanted, held = _direction(proposal.power_kw), _direction(held_kw)
        if wanted == held:
            self._since.pop(key, None)
            return proposal
        known = self._since.get(key)
        if known is None or known[0] != wanted or now_unix_us < known[1]:
            known = self._since[key] = (wanted, now_unix_us)
        lasted_us = now_unix_us - known[1]
        start_us = (_START_S + _START_S_MORE * used_share**2) * _US
        if held > 0 and lasted_us < max(_GAP_US if wanted == 0 else 0, start_us):
            return replace(proposal, power_kw=_GAP_KW)
        if held <= 0 and wanted != 0 and lasted_us < start_us:
            return replace(proposal, power_kw=0.0)
        return proposal
