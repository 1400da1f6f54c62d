"""The state of all chargers at one moment, written down piece by piece while they go on.

Encoding ten thousand chargers takes longer than any of them should wait. So a cut is only begun at its moment: each charger is
encoded when its turn comes, or before it is touched for the first time since, whichever is earlier. What comes out is what was
true at the moment of the cut, as if the world had stood still.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.fold import LADDERS_PURPOSES, Fold
from parkwatt.io.ocpp.ladder import Ladder
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.slot import Slot

# The format of the payload.
CUT_VERSION = 3
_CHARGERS_A_TURN = 50


class KeptCharger(msgspec.Struct, omit_defaults=True):
    """One charger in a snapshot: all that its `Fold` needs to go on. ``pending``: message id and call."""

    state: ChargerState
    ladder: msgspec.Raw
    calls: list[Call] = []
    pending: tuple[str, Call] | None = None

    def fold(self, settings: ChargerSettings) -> Fold:
        """The charger as it was."""
        ladder = Ladder(settings)
        ladder.restore(bytes(self.ladder))
        ladder.next_tick_unix_us = 0  # not known; it finds out when time passes next
        return Fold(self.state, ladder, self.calls, self.pending)


class Cut:
    """A cut through all chargers, now."""

    def __init__(self, slots: Mapping[str, Slot]) -> None:
        self._left = dict(slots)
        self._pieces: list[bytes] = []

    @property
    def is_whole(self) -> bool:
        """Whether every charger is encoded."""
        return not self._left

    def keep(self, charger_id: str) -> None:
        """Encode a charger that is about to change, if it has not been."""
        slot = self._left.pop(charger_id, None)
        if slot is not None:
            self._pieces.append(_piece(slot))

    def keep_some(self) -> None:
        """Encode a few of those that are left."""
        for _ in range(min(_CHARGERS_A_TURN, len(self._left))):
            _, slot = self._left.popitem()
            self._pieces.append(_piece(slot))

    def payload(self) -> bytes:
        """The snapshot's payload, once it is whole."""
        return b"{" + b",".join(self._pieces) + b"}"


def read_cut(payload: bytes) -> dict[str, KeptCharger]:
    """The chargers of a payload. Raises msgspec.MsgspecError where it is none."""
    return msgspec.json.decode(payload, type=dict[str, KeptCharger])


def _piece(slot: Slot) -> bytes:
    station, session = slot.station, slot.station.session
    kept = KeptCharger(station.state, msgspec.Raw(station.ladder.export()))
    if session is not None:
        kept.calls = [call for call in session.waiting if call.purpose in LADDERS_PURPOSES]
        pending = session.pending
        if pending is not None and pending[1].purpose in LADDERS_PURPOSES:
            kept.pending = pending
    return msgspec.json.encode(slot.charger_id) + b":" + msgspec.json.encode(kept)
