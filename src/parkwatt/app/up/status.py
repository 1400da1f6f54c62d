"""A site in words, made from what the API shows of it (`GET /v1/site`, `GET /v1/report`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from parkwatt.app.api.site_words import clock

_NOTHING_KW: Final = 0.005


def midnight(view: dict[str, Any]) -> str:
    """When the site's day began."""
    now = datetime.fromisoformat(view["at"]).astimezone(ZoneInfo(view["time_zone"]))
    return now.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def status_lines(view: dict[str, Any], today: dict[str, Any]) -> Iterator[str]:
    """The lines of `parkwatt status`. ``view``: the site; ``today``: its accounts since midnight, as the API shows them."""
    zone = ZoneInfo(view["time_zone"])
    now = datetime.fromisoformat(view["at"])
    yield f"{view['name']}, {now.astimezone(zone):%A %H:%M}"
    yield f"  powers   {_powers(view)}"
    yield f"  price    {_prices(view, now, zone)}"
    for car in view["cars"]:
        yield from _car_lines(car, now, zone)
    yield f"  today    {_today(today)}"
    if view["plan_made_at"] is None:
        yield "  plan     none yet"
    else:
        made = _clock(view["plan_made_at"], now, zone)
        yield f"  plan     of {made}, because {view['plan_because']}"
    for source in view["sources"]:
        if not source["ok"]:
            yield f"  ! {source['source']}: {source['reason'] or 'gives nothing'}"
    for alarm in view["alarms"]:
        yield f"  ! ALARM: {alarm}"


def _powers(view: dict[str, Any]) -> str:
    grid_kw = view["grid_kw"]
    if grid_kw is None:
        grid = "the grid meter tells nothing"
    elif abs(grid_kw) < _NOTHING_KW:
        grid = "nothing from or to the grid"
    elif grid_kw > 0:
        grid = f"{grid_kw:.2f} kW from the grid"
    else:
        grid = f"{-grid_kw:.2f} kW to the grid"
    parts = [grid]
    if view["load_kw"] is not None:
        parts.append(f"house {view['load_kw']:.2f} kW")
    if view["solar_kw"] is not None:
        parts.append(f"sun {view['solar_kw']:.2f} kW")
    return ", ".join(parts)


def _prices(view: dict[str, Any], now: datetime, zone: ZoneInfo) -> str:
    unit = f"{view['currency']}/kWh"
    bought, sold = (view["price_now"][f"{way}_price_per_kwh"] for way in ("import", "export"))
    if bought is None:
        return "not known now"
    words = f"{bought:.4g} {unit}"
    if sold:
        words += f", fed in {sold:.4g}"
    following = view["price_next"]
    if following is not None:
        at = _clock(following["start"], now, zone)
        words += f"; {following['import_price_per_kwh']:.4g} from {at}"
    if view["prices_known_until"] is not None:
        words += f"; known until {_clock(view['prices_known_until'], now, zone)}"
    return words


def _today(report: dict[str, Any]) -> str:
    energy, money = report["total"]["energy"], report["total"]["money"]
    saving, currency = money["saving_net"], report["currency"]
    kind = "saved" if saving >= 0 else "lost"
    return (
        f"{energy['charged_kwh']:.1f} kWh charged, {energy['discharged_kwh']:.1f} kWh given back; "
        f"{kind} {abs(saving):.2f} {currency} against charging at once, with {money['wear']:.2f} of wear"
    )


def _car_lines(car: dict[str, Any], now: datetime, zone: ZoneInfo) -> Iterator[str]:
    charge = "charge not known" if car["soc"] is None else f"{car['soc']:.0%}"
    yield f"  {car['car_id']:8} {charge}, mode {car['wishes']['mode']}: {car['doing']}"
    setpoint = car["setpoint"]
    if setpoint is not None and car["plugged_in"]:
        yield f"           {setpoint['reason']}"
        for change in setpoint["changes"]:
            yield f"           {change['message']}"
    departure = car["departure"]
    if departure is not None:
        asked = "" if departure["asked_soc"] is None else f" with {departure['asked_soc']:.0%}"
        title = f" for {departure['title']}" if departure["title"] else ""
        wanted = f"wanted {_clock(departure['departs_at'], now, zone)}{asked}{title}"
        yield f"           {wanted}: {departure['message']}"


def _clock(text: str, now: datetime, zone: ZoneInfo) -> str:
    return clock(datetime.fromisoformat(text).timestamp(), now.timestamp(), zone)
