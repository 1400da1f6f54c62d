"""Announced outages, planned or by storm: how much to hold back for them, and by when to have it."""

from parkwatt.home.announced.announcements import AnnouncedState, Spell, fold, spells
from parkwatt.home.announced.length import OutageLength, outage_length
from parkwatt.home.announced.need import Demand
from parkwatt.home.announced.preparation import (
    AnnouncedSettings,
    Holder,
    Holding,
    Preparation,
    prepare,
    reach_unix_s,
)

__all__ = [
    "AnnouncedSettings",
    "AnnouncedState",
    "Demand",
    "Holder",
    "Holding",
    "OutageLength",
    "Preparation",
    "Spell",
    "fold",
    "outage_length",
    "prepare",
    "reach_unix_s",
    "spells",
]
