"""What a person is told without looking: which trouble, when, once, and that it is over."""

from parkwatt.site.notices.causes import Cause, Figure
from parkwatt.site.notices.facts import CarNow, Facts, OutageNow
from parkwatt.site.notices.policy import step
from parkwatt.site.notices.rules import KINDS, Kind, QuietHours, Rules
from parkwatt.site.notices.state import Item, Notice, NoticeState

__all__ = [
    "KINDS",
    "CarNow",
    "Cause",
    "Facts",
    "Figure",
    "Item",
    "Kind",
    "Notice",
    "NoticeState",
    "OutageNow",
    "QuietHours",
    "Rules",
    "step",
]
