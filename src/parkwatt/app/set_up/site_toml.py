"""From a draft to the site's file, as a person would have written it: in order, with what each thing means beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from parkwatt.app.serve_settings import Address
from parkwatt.app.set_up.catalogue import DEFAULT_CELL, CatalogueCar, catalogue
from parkwatt.app.set_up.draft import (
    DAYS,
    Car,
    Charger,
    Draft,
    House,
    Place,
    WishesDraft,
    usual_kwh,
)
from parkwatt.io.ocpp.server.identity import is_loopback

_COMMENT_AT = 34
_WEEKDAYS, _WEEKEND = set(DAYS[:5]), set(DAYS[5:])


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the site listens: pages, API, chargers. ``reached_at``: the address of this machine in its network."""

    web: Address
    api: Address
    ocpp: Address
    reached_at: str


def site_toml(draft: Draft, addresses: Addresses) -> str:
    """The text of the site's file."""
    known = catalogue().find(draft.car.id)
    blocks = [
        [
            "# Made by the set-up in the browser. It is yours: change what you like, here or in the settings."
        ],
        [_line("name", _text(draft.place.name))],
        *_tariff(draft.place),
        _connection(draft),
        _ocpp(draft.charger, addresses),
        _charger(draft.charger),
        _car(draft.car, known, draft.charger, draft.wishes),
        _household(draft.home),
        _listening("web", addresses.web, "where browsers come"),
        _listening("api", addresses.api, "for the command line and other programs"),
    ]
    return "\n".join("\n".join(block) + "\n" for block in blocks if block)


def battery_of(car: Car) -> tuple[str, float, float, int, float | None]:
    """Name, usable kWh, AC kW, AC phases and kWh per 100 km: the catalogue's, or the driver's own figures."""
    known = catalogue().find(car.id)
    if known is not None:
        name = car.name.strip() or known.name
        return name, known.battery_kwh, known.ac_kw, known.ac_phases, known.kwh_per_100_km
    name = car.name.strip() or "Car"
    return name, car.battery_kwh, car.ac_kw, car.ac_phases, car.kwh_per_100_km


def gives_back(car: Car) -> bool:
    """Whether the car can give energy back to a house."""
    known = catalogue().find(car.id)
    return car.gives_back if known is None else known.v2x is not None


def powers_kw(car: Car, charger: Charger) -> float:
    """What car and charger take together: the charger's power where it charges with direct current, else the lower one."""
    _, _, ac_kw, ac_phases, _ = battery_of(car)
    known = catalogue().find(car.id)
    by_dc = charger.gives_back and (known is None or known.v2x in ("chademo", "dc"))
    if by_dc:
        return charger.power_kw
    share = min(1.0, min(charger.phases, ac_phases) / ac_phases)
    return round(min(charger.power_kw, ac_kw * share), 3)


def _tariff(place: Place) -> list[list[str]]:
    head = [
        "[tariff]",
        _line("currency", _text(place.currency)),
        _line("time_zone", _text(place.time_zone)),
    ]
    table = {
        "exchange": _exchange,
        "awattar": _exchange,
        "octopus": _octopus,
        "fixed": _fixed,
        "day_night": _day_night,
        "file": _file,
    }[place.tariff]
    sold = ["[tariff.export]", _line("price_per_kwh", place.export_price_per_kwh, "fed in")]
    return [head, *table(place), sold]


def _exchange(place: Place) -> list[list[str]]:
    source = "awattar" if place.tariff == "awattar" else "energy-charts"
    return [
        [
            "[tariff.import]",
            _line(
                "adders_per_kwh",
                f"{{ grid_and_taxes = {_number(place.adders_per_kwh)} }}",
                "what your bill adds to the exchange's price",
            ),
            _line("tax", place.tax, "on the sum"),
        ],
        [
            "[tariff.import.day_ahead]",
            _line("source", _text(source), "asked once a day"),
            _line("zone", _text(place.zone)),
        ],
    ]


def _octopus(place: Place) -> list[list[str]]:
    return [
        [
            "[tariff.import.day_ahead]",
            _line("source", _text("octopus")),
            _line("tariff_code", _text(place.tariff_code), "with your region's letter"),
        ]
    ]


def _fixed(place: Place) -> list[list[str]]:
    return [["[tariff.import]", _line("price_per_kwh", place.price_per_kwh)]]


def _day_night(place: Place) -> list[list[str]]:
    period = (
        f"{{ price_per_kwh = {_number(place.night_price_per_kwh)}, "
        f"from = {_text(place.night_from)}, to = {_text(place.night_to)} }}"
    )
    return [
        [
            "[tariff.import]",
            _line("otherwise_per_kwh", place.price_per_kwh),
            _line("periods", f"[{period}]"),
        ]
    ]


def _file(place: Place) -> list[list[str]]:
    return [
        [
            "[tariff.import.day_ahead]",
            _line("file", _text(place.file), "read anew whenever it changes"),
            _line("time_column", _text(place.time_column)),
            _line("value_column", _text(place.value_column)),
            _line("unit", _text(place.unit)),
        ]
    ]


def _connection(draft: Draft) -> list[str]:
    place = draft.place
    phases = "of each of three phases" if place.phase_count == 3 else "one phase"
    lines = ["[connection]", _line("fuse_a", place.fuse_a, phases)]
    if place.phase_count != 3:
        lines.append(_line("phase_count", place.phase_count))
    lines.append(_line("interconnection", _text("no_export"), "the car never feeds the grid"))
    return lines


def _ocpp(charger: Charger, addresses: Addresses) -> list[str]:
    at = addresses.ocpp
    if charger.kind == "virtual":
        host = at.host if is_loopback(at.host) else "127.0.0.1"
        return [
            "[ocpp]",
            _line("listen", _text(_shown(Address(host, at.port))), "this machine alone"),
            _line("admit_unknown", "true", "for the virtual charger"),
        ]
    lines = ["[ocpp]", _line("listen", _text(_shown(at)), "where chargers connect")]
    if charger.encrypted:
        lines += [
            _line("tls", "true"),
            _line("names", f"[{_text(addresses.reached_at)}]", "how chargers call this machine"),
        ]
    elif not is_loopback(at.host):
        lines.append(_line("allow_unencrypted", "true", "in a network that you trust"))
    return lines


def _charger(charger: Charger) -> list[str]:
    lines = ["[[charger]]", _line("id", _text(charger.id))]
    if charger.kind == "virtual":
        lines.append(_line("virtual", "true", "Parkwatt plays it, with a car, to try things"))
    lines.append(_line("power_kw_max", charger.power_kw))
    if charger.phases != 3:
        lines.append(_line("phase_count", charger.phases))
    if charger.gives_back:
        lines.append(_line("discharge", "true", "it is bidirectional"))
    return lines


def _car(car: Car, known: CatalogueCar | None, charger: Charger, wishes: WishesDraft) -> list[str]:
    name, battery_kwh, _, ac_phases, kwh_per_100_km = battery_of(car)
    power_kw = powers_kw(car, charger)
    runs_house = wishes.runs_house and charger.gives_back and gives_back(car)
    lines = [
        "[car]",
        _line("name", _text(name)),
        _line("charger", _text(charger.id)),
        _line("battery_kwh", battery_kwh, "usable"),
        _line("charge_kw_max", power_kw),
    ]
    if ac_phases == 1 and not charger.gives_back:
        lines.append(_line("phases", "[1]"))
    if known is not None and known.cell != DEFAULT_CELL:
        lines.append(_line("cell", _text(known.cell), "whose ageing counts"))
    if kwh_per_100_km is not None:
        lines.append(_line("consumption_kwh_per_km", round(kwh_per_100_km / 100.0, 4)))
    lines += [
        _line("floor_soc", wishes.floor_soc, "never discharged below, and charged to at once"),
        _line("ready_soc", wishes.target_soc, "held when it is wanted"),
    ]
    if wishes.days:
        lines.append(_line("ready_by", _week(wishes)))
    if runs_house:
        lines += [
            _line("discharge", "true", "the driver agrees"),
            _line("mode", _text("home"), "run the house from the car when that pays"),
        ]
    return lines


def _household(home: House) -> list[str]:
    used_kwh = home.kwh_per_year or usual_kwh(home.persons)
    lines = [
        "[household]",
        _line("kwh_per_year", used_kwh, "until the meters have told a week"),
    ]
    if home.heat_pump:
        lines.append(_line("heat_pump_kwh_per_year", home.heat_pump_kwh_per_year))
    if home.solar_kw_peak > 0.0:
        lines += [
            _line("solar_kw_peak", home.solar_kw_peak),
            _line("roof_azimuth_deg", home.roof_azimuth_deg, "180 looks south"),
            _line("roof_tilt_deg", home.roof_tilt_deg, "0 lies flat"),
        ]
    return lines


def _listening(table: str, address: Address, comment: str) -> list[str]:
    lines = [f"[{table}]", _line("listen", _text(_shown(address)), comment)]
    if not is_loopback(address.host):
        lines.append(_line("allow_unencrypted", "true", "in a network that you trust"))
    return lines


def _week(wishes: WishesDraft) -> str:
    wanted, at = set(wishes.days), _text(wishes.ready_at)
    parts: list[str] = []
    rest: Sequence[str] = [day for day in DAYS if day in wanted]
    for group, days in (("weekdays", _WEEKDAYS), ("weekend", _WEEKEND)):
        if days <= wanted:
            parts.append(f"{group} = {at}")
            rest = [day for day in rest if day not in days]
    parts += [f"{day} = {at}" for day in rest]
    return f"{{ {', '.join(parts)} }}"


def _line(name: str, value: float | str, comment: str = "") -> str:
    line = f"{name} = {value if isinstance(value, str) else _number(value)}"
    return f"{line:<{_COMMENT_AT}}  # {comment}" if comment else line


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(value, 6))


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shown(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"
