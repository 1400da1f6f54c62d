"""What entities are called and what they say, in English and German. States that automations compare are the same in both."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.app.api.site_words import local
from parkwatt.io.mqtt.home_assistant.settings import Language

_NAMES: Final[dict[str, tuple[str, str]]] = {
    # The site.
    "grid_power": ("Grid power", "Netzleistung"),
    "solar_power": ("Solar power", "Solarleistung"),
    "load_power": ("House power", "Leistung des Hauses"),
    "import_price": ("Electricity price", "Strompreis"),
    "export_price": ("Feed-in price", "Einspeisevergütung"),
    "grid_import_energy": ("Energy from the grid", "Energie vom Netz"),
    "grid_export_energy": ("Energy into the grid", "Energie ins Netz"),
    "solar_energy": ("Solar energy", "Solarenergie"),
    "load_energy": ("House energy", "Energie des Hauses"),
    "saved_today": ("Saved today", "Heute gespart"),
    "next_action": ("Next action", "Nächster Schritt"),
    "next_action_at": ("Next action at", "Nächster Schritt um"),
    "plan_made": ("Plan made", "Plan erstellt"),
    "alarm": ("Alarm", "Alarm"),
    "sources": ("Sources", "Quellen"),
    "refused": ("Last refused command", "Zuletzt abgelehnter Befehl"),
    "plan_again": ("Plan again", "Neu planen"),
    # A car.
    "power": ("Power", "Leistung"),
    "soc": ("State of charge", "Ladestand"),
    "energy": ("Energy in the battery", "Energie im Akku"),
    "charged_energy": ("Energy charged", "Geladene Energie"),
    "discharged_energy": ("Energy discharged", "Entladene Energie"),
    "activity": ("Activity", "Zustand"),
    "departure": ("Departure", "Abfahrt"),
    "ready": ("Will be ready", "Wird fertig"),
    "plugged_in": ("Plugged in", "Angesteckt"),
    "charger": ("Charger", "Ladestation"),
    "floor": ("Floor", "Mindestladung"),
    "target": ("Target", "Ladeziel"),
    "mode": ("Mode", "Modus"),
    "discharge": ("Discharging allowed", "Entladen erlaubt"),
    "leave_now": ("I leave now", "Ich fahre jetzt"),
    "fill_up_now": ("Fill up now", "Jetzt voll laden"),
    "ready_by": ("Ready by, next departure", "Fertig bis, nächste Abfahrt"),
    "ready_by_monday": ("Ready by, Mondays", "Fertig bis, montags"),
    "ready_by_tuesday": ("Ready by, Tuesdays", "Fertig bis, dienstags"),
    "ready_by_wednesday": ("Ready by, Wednesdays", "Fertig bis, mittwochs"),
    "ready_by_thursday": ("Ready by, Thursdays", "Fertig bis, donnerstags"),
    "ready_by_friday": ("Ready by, Fridays", "Fertig bis, freitags"),
    "ready_by_saturday": ("Ready by, Saturdays", "Fertig bis, samstags"),
    "ready_by_sunday": ("Ready by, Sundays", "Fertig bis, sonntags"),
    # What backs up the home.
    "backup": ("Backup", "Notstrom"),
    "phase": ("Phase", "Phase"),
    "grid": ("Grid", "Netz"),
    "islanded": ("Island", "Inselbetrieb"),
    "hours_p10": ("Hours left, at least", "Reicht noch, mindestens"),
    "hours_p50": ("Hours left", "Reicht noch"),
    "hours_p90": ("Hours left, at most", "Reicht noch, höchstens"),
    "usable_energy": ("Usable energy", "Nutzbare Energie"),
    "generator": ("Generator", "Generator"),
}
_OF_CIRCUIT: Final[dict[str, tuple[str, str]]] = {
    "power": ("{name}: power", "{name}: Leistung"),
    "choice": ("{name}: decision", "{name}: Entscheidung"),
}
_THEN: Final[dict[int, tuple[str, str]]] = {
    1: ("charges from {at}", "lädt ab {at}"),
    0: ("rests from {at}", "ruht ab {at}"),
    -1: ("discharges from {at}", "entlädt ab {at}"),
}
_DAYS: Final = (
    ("Mon", "Mo"),
    ("Tue", "Di"),
    ("Wed", "Mi"),
    ("Thu", "Do"),
    ("Fri", "Fr"),
    ("Sat", "Sa"),
    ("Sun", "So"),
)
_TOMORROW: Final = ("tomorrow", "morgen")
_NOTHING: Final = ("nothing planned", "nichts geplant")


def name(key: str, language: Language) -> str:
    """What an entity is called."""
    return _in(_NAMES[key], language)


def circuit_name(key: str, circuit: str, language: Language) -> str:
    """What something of a circuit is called."""
    return _in(_OF_CIRCUIT[key], language).format(name=circuit)


def action(then: int, at_unix_s: int, now_unix_s: int, zone: ZoneInfo, language: Language) -> str:
    """What a car does next and when. ``then``: 1 charging, 0 resting, −1 giving back."""
    at, today = local(at_unix_s, zone), local(now_unix_s, zone).date()
    clock = f"{_day(at.date(), today, language)}{at:%H:%M}"
    return _in(_THEN[then], language).format(at=clock)


def nothing_planned(language: Language) -> str:
    """That there is nothing to come."""
    return _in(_NOTHING, language)


def _day(day: date, today: date, language: Language) -> str:
    if day == today:
        return ""
    if day - today == timedelta(days=1):
        return f"{_in(_TOMORROW, language)} "
    return f"{_in(_DAYS[day.weekday()], language)} "


def _in(words: tuple[str, str], language: Language) -> str:
    return words[1] if language == "de" else words[0]
