"""A site's TOML file is one file: which of its tables belong to which command, so that each leaves the others' alone."""

from __future__ import annotations

STUDY_TABLES = ("study", "tariff", "load", "solar", "sessions", "car", "connection")
SERVE_TABLES = ("ocpp", "charger", "charger_defaults", "store", "api", "log")
