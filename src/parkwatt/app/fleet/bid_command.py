"""`parkwatt fleet bid`: its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Forecasts what a pool will be able to do on a coming day, from recorded sessions, and bids what it can hold with the confidence
asked for, block by block. Only what was known when the programme's gate closed is used. --test-days N bids for the last N days
of the record as well, and says how many blocks were held.

exit code: 0 done, 2 bad input"""

_EXAMPLES = """\
  parkwatt fleet bid sessions.parquet
  parkwatt fleet bid sessions.parquet --cars 2000 --price 15 --test-days 120 --report bids.html
  parkwatt fleet bid sessions.parquet --confidence 0.99 --step 100 --output bids.json --series-output reserve.csv"""


def register(commands: Subparsers) -> None:
    """Add it."""
    parser = add_command(
        commands,
        "bid",
        run,
        summary="forecast a pool's flexibility, and bid it at a confidence",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    add, number = parser.add_argument, float
    add("sessions", metavar="SESSIONS", type=Path, help="recorded sessions, one row each")
    add("--programme", metavar="NAME", default="fcr", help="whose blocks and gate; default: fcr")
    add("--day", metavar="DATE", help="of delivery; default: the first the record does not hold")
    add("--confidence", metavar="C", type=number, default=0.95, help="default: 0.95")
    add(
        "--cars", metavar="N", type=int, help="drawn among the users; default: the users themselves"
    )
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")
    add("--price", metavar="P", type=number, default=15.0, help="per MW and hour; default: 15")
    add("--step", metavar="KW", type=number, help="of bids; default: the programme's")
    add("--least", metavar="KW", type=number, help="the least bid; default: the programme's")
    add(
        "--power-factor", metavar="F", type=number, default=1.0, help="held per kW sold; default: 1"
    )
    add("--import-price", metavar="P", type=number, default=0.25, help="per kWh; default: 0.25")
    add("--wear-price", metavar="P", type=number, default=0.04, help="per kWh given; default: 0.04")
    add(
        "--keeping-price", metavar="P", type=number, default=0.0, help="per kW and hour; default: 0"
    )
    add("--activated", metavar="S", type=number, default=0.085, help="share called; default: 0.085")
    add("--battery-kwh", metavar="E", type=number, default=60.0, help="default: 60")
    add("--charger-kw", metavar="P", type=number, default=11.0, help="both ways; default: 11")
    add("--time-zone", metavar="ZONE", help="of days and blocks; default: the programme's")
    add("--test-days", metavar="N", type=int, default=0, help="also judge so many days; default: 0")
    add("--output", metavar="FILE.json", type=Path, help="bids, envelope and test")
    add(
        "--series-output", metavar="FILE.csv", type=Path, help="the reserve for fleet plan --limits"
    )
    add("--report", metavar="REPORT.html", type=Path, help="a page with plots")


def run(arguments: argparse.Namespace) -> int:
    """Forecast and bid; returns 0. Raises InputError for bad input."""
    from parkwatt.app.fleet.plan import require_extra

    require_extra()
    from parkwatt.app.fleet.bid import bid_day, read_options

    return bid_day(read_options(arguments))
