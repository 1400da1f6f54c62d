"""What one person was told: kept over a restart, so that nothing is told twice."""

from __future__ import annotations

import msgspec

from parkwatt.site.notices.causes import Cause, Figure


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing of a notice. ``topic``: which words tell it; ``over``: that it is over."""

    topic: str
    figures: dict[str, Figure] = {}
    over: bool = False


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes out at once: everything that came up within a minute."""

    items: tuple[Item, ...]
    urgent: bool = False


class Standing(msgspec.Struct, omit_defaults=True):
    """A cause that stands since ``since_unix_s``, with its figures as they were told. ``told``: the person knows of it.

    ``gone_unix_s``: since when it does not stand any more; None: it does.
    """

    cause: Cause
    since_unix_s: int
    told: bool = False
    gone_unix_s: int | None = None


class Over(msgspec.Struct, frozen=True):
    """A trouble that was told is over; that waits to be told."""

    cause: Cause
    at_unix_s: int


class NoticeState(msgspec.Struct, omit_defaults=True):
    """All that is known of one person. ``short``: departures for which a car had too little, so that *ready* is news.

    ``sent_unix_s``: when the messages of the last hour went out.
    """

    standing: dict[str, Standing] = msgspec.field(default_factory=dict)
    overs: list[Over] = msgspec.field(default_factory=list)
    short: list[str] = msgspec.field(default_factory=list)
    sent_unix_s: list[int] = msgspec.field(default_factory=list)
