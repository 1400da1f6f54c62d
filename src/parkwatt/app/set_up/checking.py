"""Whether a draft makes a sound site: its file is read by the site's own reader, and each fault told where it was asked."""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import tomlkit
from tomlkit.exceptions import TOMLKitError

from parkwatt.app.live_settings import LiveSettings, read_live_settings
from parkwatt.app.set_up.catalogue import catalogue
from parkwatt.app.set_up.draft import Draft, Step
from parkwatt.app.set_up.site_toml import Addresses, gives_back, site_toml
from parkwatt.domain.errors import InputFault
from parkwatt.domain.record import Faults

# The fields of the site's file, as patterns, and where in the draft they were asked.
_ASKED: Final = (
    (
        r"tariff\.import\.day_ahead\.(zone|tariff_code|file|time_column|value_column|unit)",
        r"place.\1",
    ),
    (r"tariff\.import\.adders_per_kwh.*", "place.adders_per_kwh"),
    (r"tariff\.import\.otherwise_per_kwh", "place.price_per_kwh"),
    (r"tariff\.import\.periods\[0\]\.price_per_kwh", "place.night_price_per_kwh"),
    (r"tariff\.import\.periods\[0\]\.(from|to).*", r"place.night_\1"),
    (r"tariff\.import\.(price_per_kwh|tax)", r"place.\1"),
    (r"tariff\.import.*", "place.tariff"),
    (r"tariff\.export.*", "place.export_price_per_kwh"),
    (r"tariff\.(\w+)", r"place.\1"),
    (r"connection\.(fuse_a|phase_count)", r"place.\1"),
    (r"name", "place.name"),
    (r"car\.charge_kw_max", "charger.power_kw"),
    (r"car\.floor_soc", "wishes.floor_soc"),
    (r"car\.(ready_soc|highest_soc)", "wishes.target_soc"),
    (r"car\.ready_by.*", "wishes.ready_at"),
    (r"car\.(mode|discharge)", "wishes.runs_house"),
    (r"car\.(\w+)", r"car.\1"),
    (r"charger\[0\]\.power_kw_max", "charger.power_kw"),
    (r"charger\[0\]\.(id|phase_count)", r"charger.\1"),
    (r"(ocpp|charger).*", "charger.kind"),
    (r"household\.(latitude|longitude)_deg", "place.time_zone"),
    (r"household\.(\w+)", r"home.\1"),
)


def check(
    draft: Draft, addresses: Addresses, folder: Path
) -> tuple[LiveSettings | None, list[InputFault]]:
    """The settings that the draft makes, None after a fault, and its faults at the fields of the draft.

    ``folder``: where the site's file will lie; files that it names are looked for there.
    """
    faults = Faults()
    _check_answers(draft, folder, faults)
    settings = read_text(site_toml(draft, addresses), folder, found := Faults())
    told = [InputFault(_asked(one.field), one.rule, one.value) for one in found.found]
    known = {fault.field for fault in faults.found}
    faults.found += [fault for fault in told if fault.field not in known]
    return (None if faults.found else settings), faults.found


def faults_of(faults: list[InputFault], step: Step) -> list[InputFault]:
    """Those of one step."""
    return [fault for fault in faults if fault.field.partition(".")[0] == step]


def read_text(
    text: str, folder: Path, faults: Faults, data: str | None = None
) -> LiveSettings | None:
    """The settings in a text as a site's file in ``folder`` would give them; no such file is left there.

    ``data``: the folder of its data where it names none.
    """
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", suffix=".toml", prefix=".parkwatt-", dir=folder
    ) as file:
        file.write(text if data is None else _with_data(text, data))
        file.flush()
        found = Faults()
        settings = read_live_settings(Path(file.name), found)
        own = {file.name: "text"}
    faults.found += [
        InputFault(own.get(one.field, one.field), one.rule, one.value) for one in found.found
    ]
    return settings


def _with_data(text: str, data: str) -> str:
    """The text with the folder of its data named; as it is where that is no TOML."""
    try:
        table = tomllib.loads(text)
        if isinstance(table.get("store", {}), dict) and "directory" not in table.get("store", {}):
            document = tomlkit.parse(text)
            document.setdefault("store", tomlkit.table())["directory"] = data
            return tomlkit.dumps(document)
    except (ValueError, RecursionError, TOMLKitError):
        pass
    return text


def _asked(field: str) -> str:
    for pattern, place in _ASKED:
        found = re.fullmatch(pattern, field)
        if found is not None:
            return found.expand(place)
    return field


def _check_answers(draft: Draft, folder: Path, faults: Faults) -> None:
    """What the site's file no longer shows."""
    if draft.car.id and catalogue().find(draft.car.id) is None:
        faults.add("car.id", "must be a car of the catalogue, or empty for another", draft.car.id)
    try:
        ZoneInfo(draft.place.time_zone)
    except (OSError, LookupError, ValueError):
        faults.add(
            "place.time_zone", "must be a time zone such as Europe/Berlin", draft.place.time_zone
        )
    file = draft.place.file
    if draft.place.tariff == "file" and not (Path(file).name == file and (folder / file).is_file()):
        rule = "must name a file beside the site's, such as prices.csv"
        faults.add("place.file", rule, file)
    if draft.wishes.target_soc < draft.wishes.floor_soc:
        rule = f"must be at least the floor, {draft.wishes.floor_soc:g}"
        faults.add("wishes.target_soc", rule, draft.wishes.target_soc)
    if draft.wishes.runs_house and not (draft.charger.gives_back and gives_back(draft.car)):
        rule = "needs a car and a charger that give energy back"
        faults.add("wishes.runs_house", rule, True)
