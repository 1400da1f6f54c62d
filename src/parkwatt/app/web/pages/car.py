"""Car: what its driver wishes, what each wish would cost, what it did. A wish is said by one tap, and holds at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from nicegui import background_tasks, events, ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import LevelBar, Mark, bare, button, card, text
from parkwatt.app.web.parts.basic import Text
from parkwatt.app.web.parts.form import box, read, write

_MODES: Final = ("smart", "home", "grid", "now", "off")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SESSIONS_MAX: Final = 8
_TRIPS_MAX: Final = 5
# Who leaves now still needs some minutes; a departure has to lie ahead.
_SOON: Final = timedelta(minutes=5)
_SAME: Final = 0.005


async def content(page: Page) -> None:
    """Build it."""
    cars = page.site["cars"]
    wanted = page.query.get("car", "")
    car = next((one for one in cars if one["car_id"] == wanted), cars[0] if cars else None)
    if car is None:
        text(page.t("home.no_car"), "card")
        return
    if len(cars) > 1:
        with bare("nav", "chips").props(f'aria-label="{page.t("car.cars")}"'):
            for one in cars:
                chip = ui.link(one["car_id"], f"/car?car={quote(one['car_id'], safe='')}").classes(
                    "chip"
                )
                if one is car:
                    chip.classes("on").props("aria-current=page")
    await _Car(page, car["car_id"]).build(car)


class _Car:
    """One car's page."""

    def __init__(self, page: Page, car_id: str) -> None:
        self._page, self._car_id = page, car_id
        self._may = page.person.may("drive", car_id)
        self._path = f"/v1/cars/{quote(car_id, safe='')}"
        self._wishes: dict[str, Any] | None = None

    async def build(self, car: dict[str, Any]) -> None:
        page = self._page
        with bare("div", "columns"):
            with bare("div", "stack"):
                self._now()
                self._modes()
                self._leaving(car)
            with bare("div", "stack"):
                self._levels()
                self._weekdays(car)
                self._costs = _Costs(page, self._path)
                self._trips = _Trips(page)
            await _sessions(page, self._car_id)
        page.on_site(self._show)

    def _now(self) -> None:
        with card():
            with bare("div", "line"):
                text(self._car_id, tag="h2")
                self._plugged = text("", "muted")
            with bare("div", "line"), bare("div", "big"):
                self._soc = text("", tag="span")
                text("%", "unit", tag="span")
            self._doing = text("", "strong", tag="p").props("aria-live=polite")
            self._departure = text("", "muted", tag="p")
            self._why_not = text("", "muted", tag="p")

    def _modes(self) -> None:
        page = self._page
        with card(page.t("car.mode")):
            with bare("div", "chips").props(f'role=group aria-label="{page.t("car.mode")}"'):
                self._chips = {
                    mode: self._chip(
                        page.t(f"car.mode_{mode}"),
                        lambda _, to=mode: self._say("mode", {"mode": to}),
                    )
                    for mode in _MODES
                }
            self._mode_told = text("", "muted", tag="p")
            with bare("div", "tier"):
                with bare("div"):
                    text(page.t("car.consent"), "strong")
                    text(page.t("car.consent_told"), "muted")
                self._consent = ui.switch(on_change=self._consented).props(
                    f'aria-label="{page.t("car.consent")}"'
                )
                self._consent.set_enabled(self._may)

    def _chip(self, label: str, do: Any) -> Text:
        chip = button(label, do, "chip", pressed=False)
        if not self._may:
            chip.props("disabled")
        return chip

    def _leaving(self, car: dict[str, Any]) -> None:
        page = self._page
        with card(page.t("car.leaving")):
            with bare("div", "buttons"):
                self._act(page.t("car.leave_now"), self._leave_now)
                self._act(
                    page.t("car.fill_up"),
                    lambda: self._say("mode", {"mode": "now", "until_departure": True}),
                )
            with bare("form", "leaving").on("submit.prevent", self._leave_at):
                with bare("label", "field"):
                    text(page.t("car.at"), tag="span")
                    tomorrow = (
                        page.numbers.local(car["departure"]["departs_at"])
                        if car["departure"]
                        else None
                    )
                    shown = "07:30" if tomorrow is None else f"{tomorrow:%H:%M}"
                    self._at = self._box("time", shown)
                with bare("label", "field"):
                    text(page.t("car.with"), tag="span")
                    self._with = self._box(
                        "number min=0 max=100 step=5",
                        str(round(100 * car["wishes"]["target_soc"])),
                    )
                self._act(page.t("car.leave"), None, "button quiet").props("type=submit")
            with bare("div", "tier hidden") as self._named:
                self._named_told = text("", "")
                self._act(page.t("car.take_back"), self._take_back, "button quiet")

    def _act(self, label: str, do: Any, classes: str = "button") -> Text:
        found = button(label, do if do is not None else (lambda: None), classes)
        if not self._may:
            found.props("disabled")
        return found

    def _box(self, kind: str, value: str) -> ui.element:
        return box(f"type={kind}" if self._may else f"type={kind} disabled", value)

    def _levels(self) -> None:
        page = self._page
        with card(page.t("car.levels"), page.t("car.levels_side") if self._may else ""):
            self._bar = LevelBar(page.t("home.bar"), on_set=self._moved)

    def _weekdays(self, car: dict[str, Any]) -> None:
        page = self._page
        self._times: dict[str, ui.element] = {}
        with card(page.t("car.weekdays"), page.t("car.weekdays_side")), bare("div", "weekdays"):
            for index, day in enumerate(_DAYS):
                with bare("label", "field"):
                    text(page.numbers.weekday(index), tag="span")
                    field = self._box("time", car["wishes"]["ready_by"][day] or "")
                    field.on("change", lambda _, to=day: self._ready_by(to))
                    self._times[day] = field

    def _show(self, site: dict[str, Any]) -> None:
        car = next((one for one in site["cars"] if one["car_id"] == self._car_id), None)
        if car is None:
            return
        page, numbers, wishes = self._page, self._page.numbers, car["wishes"]
        self._soc.set_text(numbers.per_cent(car["soc"]))
        self._plugged.set_text(
            page.t("home.plugged_in" if car["plugged_in"] else "home.not_plugged_in")
        )
        self._doing.set_text(_sentence(page.words(car["doing"])))
        self._show_departure(car, site)
        why_not = page.words(car["why_not"]) if wishes["discharge"] else ""
        self._why_not.set_text(
            page.t("plan.why_not", why=why_not) if why_not and car["plugged_in"] else ""
        )
        self._costs.look(car, site)
        self._trips.show(car["trips"], site["at"])
        if wishes == self._wishes:
            return
        self._wishes = wishes
        for mode, chip in self._chips.items():
            chip.props(f"aria-pressed={str(mode == wishes['mode']).lower()}")
        self._mode_told.set_text(page.t(f"car.told_{wishes['mode']}"))
        self._consent.set_value(wishes["discharge"])
        for day, at in self._times.items():
            write(at, wishes["ready_by"][day] or "")
        self._show_levels(car)

    def _show_departure(self, car: dict[str, Any], site: dict[str, Any]) -> None:
        page, departure = self._page, car["departure"]
        named = departure is not None and departure["source"] == "asked"
        self._named.classes(**{"remove" if named else "add": "hidden"})
        if departure is None:
            self._departure.set_text(page.t("home.no_departure"))
            return
        at = page.numbers.clock(departure["departs_at"], site["at"])
        self._departure.set_text(
            f"{page.t('home.leaves', at=at)}: {page.words(departure['message'])}"
        )
        self._named_told.set_text(page.t("car.named", at=at))

    def _show_levels(self, car: dict[str, Any]) -> None:
        page, wishes, share = self._page, car["wishes"], self._page.numbers.per_cent
        floor, target = wishes["floor_soc"], wishes["target_soc"]
        self._bar.show(
            [] if car["soc"] is None else [(0.0, car["soc"], "car")],
            [
                Mark(
                    floor,
                    page.t("home.floor", soc=share(floor)),
                    id="floor_soc" if self._may else "",
                    name=page.t("car.floor"),
                    most=target,
                    step=0.05,
                ),
                Mark(
                    target,
                    page.t("home.target", soc=share(target)),
                    "car",
                    id="target_soc" if self._may else "",
                    name=page.t("plan.target_heading"),
                    least=floor,
                    most=wishes["highest_soc"],
                    step=0.05,
                ),
            ],
        )

    # What the driver says.

    async def _say(self, what: str, body: dict[str, Any]) -> None:
        """Say a wish; what came of it is told."""
        call = self._page.api.put if what in ("wishes", "departure") else self._page.api.post
        car = await self._page.ask(call(f"{self._path}/{what}", body))
        if car is not None:
            self._page.say(_sentence(self._page.words(car["doing"])))

    async def _moved(self, which: str, at: float) -> None:
        await self._say("wishes", {which: round(at, 2)})

    async def _consented(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if self._wishes is None or event.value == self._wishes["discharge"]:
            return
        body: dict[str, Any] = {"discharge": bool(event.value)}
        if not event.value and self._wishes["mode"] in ("home", "grid"):
            body["mode"] = "smart"
        await self._say("wishes", body)

    async def _ready_by(self, day: str) -> None:
        await self._say("wishes", {"ready_by": {day: (await read(self._times[day])) or None}})

    async def _leave_now(self) -> None:
        at = datetime.fromisoformat(self._page.site["at"]) + _SOON
        await self._say("departure", {"departs_at": at.isoformat()})

    async def _leave_at(self) -> None:
        told, share = await read(self._at), await read(self._with)
        now = self._page.numbers.local(self._page.site["at"])
        try:
            hour, minute = (int(part) for part in told.split(":")[:2])
            at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            body: dict[str, Any] = {"target_soc": round(float(share) / 100.0, 2)}
        except ValueError:
            self._page.say(self._page.t("car.no_time"), good=False)
            return
        if at <= now:
            at += timedelta(days=1)
        body["departs_at"] = at.isoformat()
        await self._say("departure", body)

    async def _take_back(self) -> None:
        await self._page.ask(self._page.api.delete(f"{self._path}/departure"))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


class _Costs:
    """What each wish would cost, asked anew when a plan is made."""

    def __init__(self, page: Page, path: str) -> None:
        self._page, self._path = page, path
        self._seen: object = None
        with card(page.t("car.costs"), page.t("car.costs_side"), "hidden") as self._card:
            self._list = bare("ul", "plain-list")

    def look(self, car: dict[str, Any], site: dict[str, Any]) -> None:
        """Ask where wishes or plan are others."""
        seen = (car["plugged_in"], car["wishes"], site["plan_made_at"])
        if seen != self._seen:
            self._seen = seen
            background_tasks.create(self._read(), name="wish costs")

    async def _read(self) -> None:
        page = self._page
        try:
            told = (await page.api.get(f"{self._path}/wish-costs"))["wishes"]
        except ApiError:
            told = []
        if page.client.is_deleted:
            return
        with page.client:
            self._card.classes(**{"remove" if told else "add": "hidden"})
            self._list.clear()
            with self._list:
                for one in told:
                    with bare("li", "tier"):
                        text(page.t(f"car.wish_{one['wish']}", value=self._value(one)), tag="span")
                        text(
                            self._cost(one),
                            "strong" if one["ready"] is not False else "bad",
                            tag="span",
                        )

    def _value(self, one: dict[str, Any]) -> str:
        return (
            self._page.t(f"car.mode_{one['value']}") if one["wish"] == "mode" else str(one["value"])
        )

    def _cost(self, one: dict[str, Any]) -> str:
        if one["ready"] is False:
            return self._page.t("car.not_ready")
        if abs(one["difference"]) < _SAME:
            return self._page.t("car.nothing")
        sign = "+" if one["difference"] > 0 else ""
        return sign + self._page.numbers.money(one["difference"])


class _Trips:
    """Trips from the car's calendar."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: object = None
        with card(page.t("car.trips"), classes="hidden") as self._card:
            self._list = bare("ul", "plain-list")

    def show(self, trips: list[dict[str, Any]], now: str) -> None:
        """``trips``: of the car's view."""
        if trips == self._shown:
            return
        self._shown = trips
        self._card.classes(**{"remove" if trips else "add": "hidden"})
        self._list.clear()
        with self._list:
            for trip in trips[:_TRIPS_MAX]:
                with bare("li", "tier"):
                    text(trip["title"], tag="span")
                    text(self._page.numbers.clock(trip["departs_at"], now), "strong", tag="span")


async def _sessions(page: Page, car_id: str) -> None:
    """The last stays: when, how much, what it cost, whether it was ready."""
    try:
        report = await page.api.get("/v1/report", by="session")
    except ApiError:
        return
    rows = [row for row in report["rows"] if row["car_id"] == car_id and row["stay"] is not None]
    if not rows:
        return
    numbers, now = page.numbers, page.site["at"]
    with card(page.t("car.sessions"), classes="wide"), bare("ul", "plain-list"):
        for row in reversed(rows[-_SESSIONS_MAX:]):
            energy, money = row["energy"], row["money"]
            with bare("li", "tier"):
                with bare("div"):
                    end = (
                        numbers.clock(row["end"], now)
                        if row["stay"]["ended"]
                        else page.t("car.goes_on")
                    )
                    text(f"{numbers.clock(row['start'], now)} – {end}", "strong")
                    told = page.t(
                        "car.session",
                        charged=numbers.number(energy["charged_kwh"]),
                        given=numbers.number(energy["discharged_kwh"]),
                    )
                    text(told, "muted")
                text(
                    page.t("car.session_saved", money=numbers.money(money["saving_net"])), "strong"
                )
