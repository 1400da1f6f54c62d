"""A site's TOML file is one file: which tables and keys belong to which command, so that each leaves the others' alone."""

from __future__ import annotations

from collections.abc import Iterable

from parkwatt.domain.record import Record

STUDY_TABLES = ("study", "tariff", "load", "solar", "sessions", "car", "connection")
SERVE_TABLES = ("ocpp", "charger", "charger_defaults", "store", "api", "log")
LIVE_TABLES = (
    *("circuit", "meter", "mqtt", "control", "backup", "web", "notify", "home_assistant"),
    "household",
)

POOL_TABLES = ("pool", "openadr", "programme")

# Keys of tables that a study and a running site share: what only one of them reads.
LIVE_CONNECTION_KEYS = ("fuse_a", "phase_count", "voltage_v", "interconnection", "household_kw_max")
LIVE_CAR_KEYS = (
    *("charger", "evse", "phases", "discharge", "mode", "ready_by", "trips", "trips_match"),
    *("soc_topic", "soc_path", "soc_unit", "consumption_kwh_per_km"),
)


def skip(record: Record, names: Iterable[str]) -> None:
    """Take fields for known that another command reads."""
    for name in names:
        record.value(name)
