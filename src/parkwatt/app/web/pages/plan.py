"""Plan: the hours ahead with prices, power, battery and reasons; what another target would cost, and charging at once."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from nicegui import background_tasks

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.plan_chart import PlanChart, reason_at, steps_shown
from parkwatt.app.web.parts import LevelBar, Mark, bare, button, card, text

_RESTS_KW: Final = 0.05
_REASONS_MAX: Final = 6
# Less than half a cent makes no difference.
_SAME: Final = 0.005


async def content(page: Page) -> None:
    """Build it."""
    await _Plan(page).build()


class _Plan:
    """The plan of one car at a time."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._car_id = _first_car(page.site)
        self._made_at: str | None = None
        self._plan: dict[str, Any] | None = None
        self._bands: list[dict[str, Any]] = []

    async def build(self) -> None:
        page = self._page
        self._none = text(page.t("plan.none"), "card hidden")
        with bare("div", "columns") as self._all:
            if len(page.site["cars"]) > 1:
                self._chips()
            with card(page.t("plan.ahead"), classes="wide"):
                self._chart = PlanChart(page)
            with bare("div", "stack"):
                with card():
                    self._asked = text("", tag="h2")
                    self._why = text("", "", tag="p").props("aria-live=polite")
                    self._why_not = text("", "muted", tag="p")
                self._target = _Target(page, self._car)
            with bare("div", "stack"):
                self._compared = _Compared(page)
                with card(page.t("plan.reasons")):
                    self._reasons = bare("ul", "plain-list")
        await self._read(page.site)
        page.on_site(self._look)

    def _chips(self) -> None:
        with bare("div", "chips wide").props(
            f'role=group aria-label="{self._page.t("plan.cars")}"'
        ):
            chips = {}
            for car in self._page.site["cars"]:
                name = car["car_id"]
                chips[name] = button(
                    name, lambda _, to=name: choose(to), "chip", pressed=name == self._car_id
                )

        def choose(car_id: str) -> None:
            self._car_id = car_id
            for name, chip in chips.items():
                chip.props(f"aria-pressed={str(name == car_id).lower()}")
            self._show(self._page.site)

    def _car(self) -> dict[str, Any] | None:
        """The car that is shown, as it is now."""
        cars = self._page.site["cars"]
        return next((car for car in cars if car["car_id"] == self._car_id), None)

    def _look(self, site: dict[str, Any]) -> None:
        if site["plan_made_at"] != self._made_at:
            background_tasks.create(self._again(), name="plan")
        else:
            self._show(site)

    async def _again(self) -> None:
        if not self._page.client.is_deleted:
            with self._page.client:
                await self._read(self._page.site)

    async def _read(self, site: dict[str, Any]) -> None:
        self._made_at = site["plan_made_at"]
        try:
            self._plan = await self._page.api.get("/v1/plan")
            outlook = None if self._plan is None else await self._page.api.get("/v1/plan/outlook")
        except ApiError:
            self._made_at = None  # again with the next change
            return
        self._bands = [] if outlook is None else outlook["bands"]
        self._compared.show(outlook)
        self._show(self._page.site)

    def _show(self, site: dict[str, Any]) -> None:
        page, plan, car = self._page, self._plan, self._car()
        # Of a car that has left, the plan may be over.
        none = plan is None or car is None or not steps_shown(plan, site["at"])
        self._none.classes(**{"remove" if none else "add": "hidden"})
        self._all.classes(**{"add" if none else "remove": "hidden"})
        if plan is None or car is None or none:
            return
        self._chart.show(plan, self._bands, car, site["at"])
        why = reason_at(plan, car["car_id"], site["at"])
        told = car["doing"] if why is None else why["message"]
        rests = abs(car["power_kw"] or 0.0) < _RESTS_KW
        self._asked.set_text(page.t("plan.why_not_now" if rests else "plan.why_now"))
        self._why.set_text(_sentence(page.words(told)))
        self._why_not.set_text(
            page.t("plan.why_not", why=page.words(car["why_not"])) if car["why_not"] else ""
        )
        self._target.show(car)
        self._list(plan, car["car_id"], site["at"])

    def _list(self, plan: dict[str, Any], car_id: str, now: str) -> None:
        page = self._page
        ahead = [
            one
            for one in plan["reasons"]
            if one["car_id"] == car_id and page.numbers.local(one["end"]) > page.numbers.local(now)
        ]
        ahead.sort(key=lambda one: one["start"])
        if getattr(self, "_listed", None) == (ahead, now[:13]):
            return
        self._listed = (ahead, now[:13])
        self._reasons.clear()
        with self._reasons:
            for one in ahead[:_REASONS_MAX]:
                with bare("li", "tier"), bare("div"):
                    text(f"{_when(page, one, now)} · {_does(page, one['power_kw'])}", "strong")
                    text(_sentence(page.words(one["message"])), "muted")


def _first_car(site: dict[str, Any]) -> str:
    """One that is plugged in, else the first; empty where there is none."""
    cars = sorted(site["cars"], key=lambda car: not car["plugged_in"])
    return cars[0]["car_id"] if cars else ""


def _when(page: Page, reason: dict[str, Any], now: str) -> str:
    """Its times; of what goes on already the end alone."""
    if page.numbers.local(reason["start"]) <= page.numbers.local(now):
        return page.t("plan.until", at=page.numbers.clock(reason["end"], now))
    start = page.numbers.clock(reason["start"], now)
    return f"{start}–{page.numbers.local(reason['end']):%H:%M}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _does(page: Page, power_kw: float) -> str:
    if abs(power_kw) < _RESTS_KW:
        return page.t("home.ahead_rest")
    key = "home.ahead_charge" if power_kw > 0 else "home.ahead_give"
    return page.t(key, power=page.numbers.number(abs(power_kw)))


class _Target:
    """The target as a mark that can be dragged: what it would cost is told at once, and it holds once it is applied."""

    def __init__(self, page: Page, car: Any) -> None:
        self._page, self._car = page, car
        self._wanted: float | None = None
        self._asked: float | None = None
        self._asking = False
        with card(page.t("plan.target_heading"), page.t("plan.target_side")) as self._card:
            self._bar = LevelBar(page.t("plan.target_heading"), self._slide, self._slide)
            self._cost = text("", "strong", tag="p").props("aria-live=polite")
            self._more = text("", "muted", tag="p")
            with bare("div", "buttons hidden") as self._buttons:
                button(page.t("plan.apply"), self._apply)
                button(page.t("plan.cancel"), self._cancel, "button quiet")

    def show(self, car: dict[str, Any]) -> None:
        """The car as it is now; what is being dragged stays."""
        page, wishes = self._page, car["wishes"]
        may = page.person.may("drive", car["car_id"])
        target = wishes["target_soc"] if self._wanted is None else self._wanted
        share = page.numbers.per_cent
        self._bar.show(
            [] if car["soc"] is None else [(0.0, car["soc"], "car")],
            [
                Mark(wishes["floor_soc"], page.t("home.floor", soc=share(wishes["floor_soc"]))),
                Mark(
                    target,
                    page.t("home.target", soc=share(target)),
                    "car",
                    id="target" if may else "",
                    name=page.t("plan.target_heading"),
                    least=wishes["floor_soc"],
                    most=wishes["highest_soc"],
                    step=0.05,
                ),
            ],
        )

    async def _slide(self, _: str, at: float) -> None:
        self._wanted = round(at, 2)
        self._buttons.classes(remove="hidden")
        if not self._asking:
            await self._ask()

    async def _ask(self) -> None:
        """Ask for the newest position until it does not move any more."""
        self._asking = True
        try:
            while self._wanted is not None and self._wanted != self._asked:
                asked, car = self._wanted, self._car()
                if car is None:
                    return
                path = f"/v1/cars/{quote(car['car_id'], safe='')}/what-if"
                try:
                    found = await self._page.api.post(path, {"target_soc": asked})
                except ApiError as error:
                    self._cost.set_text(self._page.words(error.sentence))
                    self._more.set_text("")
                    return
                self._asked = asked
                self._tell(found)
        finally:
            self._asking = False

    def _tell(self, found: dict[str, Any]) -> None:
        page = self._page
        then = found["then"]
        more = found["difference"]
        key = "same" if abs(more) < _SAME else ("dearer" if more > 0 else "cheaper")
        soc = page.numbers.per_cent(self._asked)
        self._cost.set_text(page.t(f"plan.{key}", soc=soc, money=page.numbers.money(abs(more))))
        told = [page.t("plan.counted")]
        if then["ready"] is False:
            told.append(page.t("plan.not_ready"))
        elif then["ready_at"] is not None:
            told.append(
                page.t("plan.ready", at=page.numbers.clock(then["ready_at"], page.site["at"]))
            )
        self._more.set_text(" ".join(told))

    async def _apply(self) -> None:
        car = self._car()
        if car is None or self._wanted is None:
            return
        path = f"/v1/cars/{quote(car['car_id'], safe='')}/wishes"
        if await self._page.ask(self._page.api.put(path, {"target_soc": self._wanted})) is not None:
            self._page.say(
                self._page.t("plan.applied", soc=self._page.numbers.per_cent(self._wanted))
            )
            self._cancel()

    def _cancel(self) -> None:
        self._wanted = self._asked = None
        self._buttons.classes(add="hidden")
        self._cost.set_text("")
        self._more.set_text("")
        car = self._car()
        if car is not None:
            self.show(car)


class _Compared:
    """The plan beside charging at once: energy, wear, net."""

    def __init__(self, page: Page) -> None:
        self._page = page
        with card(page.t("plan.compared"), page.t("plan.compared_side"), "hidden") as self._card:
            self._rows = bare("div")

    def show(self, outlook: dict[str, Any] | None) -> None:
        """``outlook``: `GET /v1/plan/outlook`."""
        self._card.classes(**{"add" if outlook is None else "remove": "hidden"})
        if outlook is None:
            return
        page, money = self._page, self._page.numbers.money
        planned, charged = outlook["planned"], outlook["at_once"]
        self._rows.clear()
        with self._rows:
            for name, before, then in (
                (
                    "cost",
                    charged["paid"] + charged["demand"],
                    planned["paid"] + planned["demand"],
                ),
                ("wear", charged["wear"], planned["wear"]),
                ("stored", -charged["stored"], -planned["stored"]),
            ):
                with bare("div", "tier"):
                    text(page.t(f"plan.{name}"), "muted", tag="span")
                    with bare("span"):
                        text(money(before), "was", tag="s").props(
                            f'aria-label="{page.t("plan.at_once")} {money(before)}"'
                        )
                        text(money(then), "strong", tag="span")
            with bare("div", "tier"):
                text(page.t("plan.saved"), "strong", tag="span")
                good = "good" if outlook["saved"] >= 0 else "bad"
                text(money(outlook["saved"]), f"big-ish {good}", tag="span")
