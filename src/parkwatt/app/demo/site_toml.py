"""The demo home's settings: the file a user would write for a home of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parkwatt.app.demo.backup_toml import backup_toml

CHARGER_ID: Final = "GARAGE"

_TEMPLATE = """\
# A generated home: load, sun, trips and prices by formulas with a seed.
# Change a value and run the study again.

name = "Demo home"

[tariff]
currency = "EUR"
time_zone = "{time_zone}"

[tariff.import]                     # the Dutch case of 2024: exchange, supplier, energy tax, VAT
adders_per_kwh = {{ supplier = 0.018, energy_tax = 0.1088 }}
tax = 0.21

[tariff.import.day_ahead]
file = "{prices}"
time_column = "time"
value_column = "price_eur_per_mwh"
unit = "EUR/MWh"
published_at = "13:00"

[tariff.export]                     # fed in at the exchange's price, less the supplier's fee
share_of_spot = 1.0
adders_per_kwh = {{ supplier = -0.018 }}

[load]
file = "{load}"
time_column = "time"
value_column = "load_kw"
unit = "kW"

[solar]
file = "{solar}"
time_column = "time"
value_column = "solar_kw"
unit = "kW"

[sessions]                          # when the car is plugged in, and what it drove before
file = "{sessions}"
arrival_column = "arrival"
departure_column = "departure"
energy_used_column = "energy_used_kwh"

[connection]                        # 3 x 25 A; nothing is fed in from the car
import_limit_kw = 17.25
interconnection = "no_export"

[car]
name = "car"
battery_kwh = 60.0
floor_soc = 0.2                     # never discharged below
ready_soc = 0.8                     # what the driver wants at each departure
charge_kw_max = 11.0
discharge_kw_max = 11.0
charge_efficiency = 0.93
discharge_efficiency = 0.93
cell = "nmc622-denso"               # whose ageing counts; the report shows the others too
pack_price_per_kwh = 110.0
temperature_c = 18.0
charger_price = 2500.0              # what the bidirectional charger costs more
charger = "{charger_id}"                   # from here on: what the live site needs (parkwatt up)
mode = "home"                       # run the house from the car when that pays
discharge = true                    # the driver agrees
ready_by = {{ weekdays = "06:45", saturday = "08:30", sunday = "08:30" }}

[[charger]]
id = "{charger_id}"
discharge = true
power_kw_max = 11.0

[meter.grid]                        # the virtual home answers here as a SunSpec meter does
source = "modbus"
host = "127.0.0.1"
port = {meter_port}

[meter.solar]
source = "modbus"
host = "127.0.0.1"
port = {meter_port}

[ocpp]
listen = "127.0.0.1:{ocpp_port}"
admit_unknown = true

[api]
listen = "127.0.0.1:{api_port}"

[web]
listen = "127.0.0.1:{web_port}"

[control]
step_s = 5

[log]
level = "error"                     # the demo tells in words what happens

[study]
step_minutes = 15
replan_minutes = 60
departures = "declared"             # or "calendar", "learned"
{backup}"""


# As for any site.
WEB_PORT = 8088


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the live demo listens: the meter's Modbus, the chargers' OCPP, the API, the gateway's Modbus, and browsers."""

    meter: int = 1502
    ocpp: int = 9000
    api: int = 8080
    gateway: int = 1503
    web: int = WEB_PORT


def site_toml(
    prices: Path, load: Path, solar: Path, sessions: Path, time_zone: str, ports: Ports
) -> str:
    """The text of `site.toml`; the files are named relative to it."""
    return _TEMPLATE.format(
        prices=prices.name,
        load=load.name,
        solar=solar.name,
        sessions=sessions.name,
        time_zone=time_zone,
        charger_id=CHARGER_ID,
        meter_port=ports.meter,
        ocpp_port=ports.ocpp,
        api_port=ports.api,
        web_port=ports.web,
        backup=backup_toml(ports.gateway),
    )
