"""Home: what happens now in one sentence and one picture, the car's charge, what was saved, and how long it would last."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from nicegui import background_tasks, ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import LevelBar, Mark, Node, PowerFlow, bare, card, text
from parkwatt.app.web.parts.basic import Text

# What flows with less than this is none.
_FLOWS_KW: Final = 0.05
# Lines are as strong as the power they carry, up to this.
_STRONG_KW: Final = 8.0
_MONEY_EVERY_S: Final = 60.0
_AHEAD_MAX: Final = 3


async def content(page: Page) -> None:
    """Build it."""
    say = text("", "say", tag="p").props("aria-live=polite")
    remark = text("", "muted", tag="p")
    with bare("div", "columns"):
        with card():
            flow = PowerFlow()
        with bare("div", "stack"):
            cars = {car["car_id"]: CarCard(page, car) for car in page.site["cars"]}
            backup = await _backup_card(page)
            ahead = _Ahead(page)
    saved = _Saved(page)

    def show(site: dict[str, Any]) -> None:
        say.set_text(headline(page, site))
        remark.set_text(" ".join(filter(None, (price_words(page, site), saved.words))))
        nodes = power_nodes(page, site)
        flow.show(nodes, ", ".join(f"{node.name} {node.shown}" for node in nodes))
        for car in site["cars"]:
            if car["car_id"] in cars:
                cars[car["car_id"]].show(car, site)
        ahead.look(site)

    page.on_site(show)
    if backup is not None:
        page.on_backup(lambda shown: _follow_backup(backup, shown))

    async def refresh() -> None:
        await saved.read()
        show(page.site)

    page.every(_MONEY_EVERY_S, refresh)
    await refresh()


def _follow_backup(card: _BackupCard, shown: dict[str, Any]) -> None:
    """Show it, and hand the whole screen over when an outage begins; who comes back here meanwhile stays."""
    begins = shown["islanded"] and not card.islanded
    card.show(shown)
    if begins:
        ui.navigate.to("/backup")


def headline(page: Page, site: dict[str, Any]) -> str:
    """What matters most now: of a car that does something, else of the first."""
    cars = site["cars"]
    if not cars:
        return page.t("home.no_car")
    acting = ("running_house", "feeding_in", "charging")
    car = min(
        cars,
        key=lambda one: (
            acting.index(one["activity"]["kind"])
            if one["activity"]["kind"] in acting
            else len(acting)
        ),
    )
    activity = car["activity"]
    kind, until = activity["kind"], activity["until"]
    key = f"home.now_{kind}"
    if kind == "resting" and activity["then"] is not None and until is not None:
        key = f"home.now_resting_{activity['then']}"
    elif until is not None:
        key = f"{key}_until"
    elif kind == "resting" and car["wishes"]["mode"] == "off":
        key = "home.now_off"
    return page.t(
        key,
        car=car["car_id"],
        until=page.numbers.clock(until, site["at"]),
        charger=car["charger_id"],
    )


def price_words(page: Page, site: dict[str, Any]) -> str:
    now, then = site["price_now"], site["price_next"]
    if now["import_price_per_kwh"] is None:
        return page.t("home.no_price")
    price = page.numbers.price(now["import_price_per_kwh"])
    if then is None or then["import_price_per_kwh"] is None:
        return page.t("home.price", price=price)
    return page.t(
        "home.price_then",
        price=price,
        then=page.numbers.price(then["import_price_per_kwh"]),
        at=page.numbers.clock(then["start"], site["at"]),
    )


def power_nodes(page: Page, site: dict[str, Any]) -> list[Node]:
    """All places of power; the cars are one."""
    powers = [car["power_kw"] for car in site["cars"] if car["plugged_in"]]
    known = [power for power in powers if power is not None]
    car_kw = sum(known) if known or not powers else None
    nodes = []
    if site["solar_kw"] is not None:
        nodes.append(_node(page, "sun", site["solar_kw"]))
    nodes.append(_node(page, "grid", site["grid_kw"]))
    nodes.append(_node(page, "car", None if car_kw is None else -car_kw, gone=not powers))
    nodes.append(_node(page, "house", None if site["load_kw"] is None else -site["load_kw"]))
    return nodes


def _node(page: Page, kind: str, gives_kw: float | None, *, gone: bool = False) -> Node:
    """``gives_kw``: into the house's wires."""
    name = page.t(f"home.{kind}")
    if gone:
        return Node(kind, name, page.t("home.away"), gone=True)
    if gives_kw is None:
        return Node(kind, name, "–", gone=True)
    flow = 0 if abs(gives_kw) < _FLOWS_KW else (1 if gives_kw > 0 else -1)
    shown = f"{page.numbers.number(abs(gives_kw))} kW"
    return Node(kind, name, shown, flow, min(1.0, abs(gives_kw) / _STRONG_KW))


class CarCard:
    """One car: its charge, floor, target and when it is ready."""

    def __init__(self, page: Page, car: dict[str, Any]) -> None:
        self._page = page
        with card("", classes="car-card"):
            with bare("div", "line"):
                text(car["car_id"], tag="h2")
                self._ready = text("", "muted")
            with bare("div", "line"):
                with bare("div", "big"):
                    self._soc = text("", tag="span")
                    self._unit = text("", "unit", tag="span")
                self._kwh = text("", "muted")
            self._bar = LevelBar(page.t("home.bar"))
            self._message = text("", "muted", tag="p")

    def show(self, car: dict[str, Any], site: dict[str, Any]) -> None:
        page, numbers, wishes = self._page, self._page.numbers, car["wishes"]
        soc = car["soc"]
        self._soc.set_text(page.t("home.soc_unknown") if soc is None else numbers.per_cent(soc))
        self._soc.classes(**{"add" if soc is None else "remove": "muted"})
        self._unit.set_text("" if soc is None else "%")
        known = None if car["energy_kwh"] is None else f"{numbers.number(car['energy_kwh'], 0)} kWh"
        plugged = page.t("home.plugged_in" if car["plugged_in"] else "home.not_plugged_in")
        self._kwh.set_text(" · ".join(filter(None, (known, plugged))))
        floor, target = (
            numbers.per_cent(wishes["floor_soc"]),
            numbers.per_cent(wishes["target_soc"]),
        )
        marks = [
            Mark(wishes["floor_soc"], page.t("home.floor", soc=floor)),
            Mark(wishes["target_soc"], page.t("home.target", soc=target), "car"),
        ]
        fills = [] if soc is None else [(0.0, soc, "car")]
        self._bar.show(
            fills,
            marks,
            page.t("home.bar_said", soc=numbers.per_cent(soc), floor=floor, target=target),
        )
        _show_departure(page, car, site, self._ready, self._message)


def _show_departure(
    page: Page, car: dict[str, Any], site: dict[str, Any], ready: Text, message: Text
) -> None:
    departure = car["departure"]
    if departure is None or not car["plugged_in"]:
        # What a car that is away was to be ready for, is over or not begun.
        ready.set_text("")
        message.set_text(page.t("home.no_departure") if car["plugged_in"] else "")
        return
    at = page.numbers.clock(departure["departs_at"], site["at"])
    ready.set_text(
        page.t("home.ready" if departure["ready"] is not False else "home.leaves", at=at)
    )
    message.set_text("" if departure["ready"] is not False else page.words(departure["message"]))


class _Saved:
    """What was saved today, in a sentence; empty where it is not known."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.words = ""

    async def read(self) -> None:
        page = self._page
        try:
            today = await page.api.get("/v1/money/today")
        except ApiError:
            return
        if today.get("net") is None:
            self.words = ""
            return
        money = page.numbers.money
        less = float(today["net"]) < 0
        self.words = page.t(
            "home.saved_less" if less else "home.saved",
            gross=money(today["gross"]),
            wear=money(today["wear"]),
            net=money(abs(float(today["net"])) if less else today["net"]),
        )


class _Ahead:
    """What the plan does next, and why."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._made_at: str | None = None
        self._ahead: list[dict[str, Any]] = []
        with card(page.t("home.ahead"), classes="hidden") as self._card:
            self._list = bare("ul", "plain-list")

    def look(self, site: dict[str, Any]) -> None:
        """Read the plan where it is another one; take off the list what has begun."""
        if site["plan_made_at"] != self._made_at:
            self._made_at = site["plan_made_at"]
            background_tasks.create(self._read(), name="plan ahead")
        elif self._ahead and _begins(self._ahead[0]) <= datetime.fromisoformat(site["at"]):
            self._draw()

    async def _read(self) -> None:
        page = self._page
        try:
            plan = await page.api.get("/v1/plan")
        except ApiError:
            self._made_at = None  # again with the next change
            return
        if page.client.is_deleted:
            return
        self._ahead = [] if plan is None else sorted(plan["reasons"], key=_begins)
        self._draw()

    def _draw(self) -> None:
        page = self._page
        now = datetime.fromisoformat(page.site["at"])
        self._ahead = [one for one in self._ahead if _begins(one) > now]
        self._card.classes(**{"remove" if self._ahead else "add": "hidden"})
        self._list.clear()
        with page.client, self._list:
            for one in self._ahead[:_AHEAD_MAX]:
                self._entry(one)

    def _entry(self, reason: dict[str, Any]) -> None:
        page, power_kw = self._page, reason["power_kw"]
        if abs(power_kw) < _FLOWS_KW:
            does = page.t("home.ahead_rest")
        else:
            key = "home.ahead_charge" if power_kw > 0 else "home.ahead_give"
            does = page.t(key, power=page.numbers.number(abs(power_kw)))
        several = len(page.site["cars"]) > 1
        with bare("li", "tier"), bare("div"):
            at = page.numbers.clock(reason["start"], page.site["at"])
            who = f" · {reason['car_id']}" if several else ""
            text(f"{at} · {does}{who}", "strong")
            text(page.words(reason["message"]), "muted")


def _begins(reason: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(reason["start"])


async def _backup_card(page: Page) -> _BackupCard | None:
    """How long the house would run if the grid failed now; None where the site has no backup."""
    try:
        shown = await page.api.get("/v1/backup")
    except ApiError:
        return None
    if shown is None:
        return None
    found = _BackupCard(page)
    found.show(shown)
    return found


class _BackupCard:
    """Hours left, as a band; it leads to the whole page, and stands first while the grid is down."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.islanded = False
        with ui.link(target="/backup").classes("card clickable") as self._card:
            with bare("div", "line"):
                self._title = text("", tag="h2")
                self._side = text("", "muted")
            with bare("div", "line"):
                with bare("div", "big"):
                    self._hours = text("", tag="span")
                    self._unit = text("", "unit", tag="span")
                self._kept = text("", "muted")

    def show(self, shown: dict[str, Any]) -> None:
        page, runtime = self._page, shown["runtime"]
        self.islanded = shown["islanded"]
        self._card.classes(**{"add" if self.islanded else "remove": "first-of-all"})
        self._title.set_text(page.t("home.outage_now" if self.islanded else "home.if_it_failed"))
        self._unit.set_text("" if runtime is None else page.t("home.hours"))
        if runtime is None:
            self._hours.set_text("…")
            self._side.set_text(page.t("home.hours_unknown"))
            return
        low, high = (page.numbers.number(runtime[name], 0) for name in ("hours_p10", "hours_p90"))
        self._hours.set_text(low if low == high else f"{low}–{high}")
        self._side.set_text(page.t("home.all_circuits"))
        self._kept.set_text(page.words(shown["source_kept"]))
