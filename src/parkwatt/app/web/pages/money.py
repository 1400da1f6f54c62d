"""Money and battery: one big number, what it is made of, when it was saved; the battery's ledger; files to take away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.money_battery import BatteryCard
from parkwatt.app.web.pages.money_chart import SavingsChart
from parkwatt.app.web.parts import bare, button, card, text

By = Literal["day", "month", "year"]
Way = Literal["at_once", "smart"]
_WAYS: Final[tuple[Way, ...]] = ("at_once", "smart")
_PERIODS: Final[tuple[By, ...]] = ("day", "month", "year")
_REFRESH_S: Final = 60.0


async def content(page: Page) -> None:
    """Build it."""
    shown = _Shown("day", "at_once", page.numbers.local(page.site["at"]).date())
    with bare("div", "columns money-columns"):
        money = _Money(page, shown)
        battery = BatteryCard(page)
        _exports(page, battery, shown)
    page.every(_REFRESH_S, money.read)
    await money.read()
    await battery.read()


@dataclass(slots=True)
class _Shown:
    """What is looked at: bars by ``by`` of the span that holds ``day``."""

    by: By
    way: Way
    day: date

    @property
    def span(self) -> tuple[date, date] | None:
        """The month of days, the year of months; None for all years."""
        if self.by == "day":
            first = self.day.replace(day=1)
            return first, (first + timedelta(days=32)).replace(day=1)
        if self.by == "month":
            return date(self.day.year, 1, 1), date(self.day.year + 1, 1, 1)
        return None

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the API."""
        span = self.span
        if span is None:
            return {"by": self.by}
        return {"by": self.by, "from": span[0].isoformat(), "until": span[1].isoformat()}

    def moved(self, later: bool) -> date | None:
        """A day in the next span, or the one before; None where there is none."""
        span = self.span
        if span is None:
            return None
        return span[1] if later else span[0] - timedelta(days=1)


class _Money:
    """The number, the sum and the bars."""

    def __init__(self, page: Page, shown: _Shown) -> None:
        self._page, self._shown = page, shown
        self._told: dict[str, Any] | None = None
        self._why = ""
        with card("", classes="money-card"):
            self._title = text("", "muted", tag="h2")
            self._net = text("", "money-net").props("aria-live=polite")
            self._sum = bare("div", "money-sum")
            self._way_chips(page)
            self._about = text("", "muted small", tag="p")
        with card("", classes="money-bars"):
            with bare("div", "line"):
                self._bars_title = text("", tag="h2")
                self._steps = bare("div", "money-steps")
            self._chart = SavingsChart(page)
            self._period_chips(page)
            self._table = bare("details", "money-table")
            self._notes = text("", "muted small hidden", tag="p")

    def _way_chips(self, page: Page) -> None:
        with bare("div", "chips").props(f'role=group aria-label="{page.t("money.against")}"'):
            text(page.t("money.against"), "muted chip-label", tag="span")
            chips = {
                way: button(
                    page.t(f"money.against_{way}"),
                    lambda way=way: self._choose_way(way, chips),
                    "chip",
                    pressed=way == self._shown.way,
                )
                for way in _WAYS
            }

    def _period_chips(self, page: Page) -> None:
        with bare("div", "chips").props(f'role=group aria-label="{page.t("money.show_by")}"'):
            chips = {
                by: button(
                    page.t(f"money.by_{by}"),
                    lambda by=by: self._choose_period(by, chips),
                    "chip",
                    pressed=by == self._shown.by,
                )
                for by in _PERIODS
            }

    def _choose_way(self, way: Way, chips: dict[Way, Any]) -> None:
        self._shown.way = way
        _press(chips, way)
        self._show()

    async def _choose_period(self, by: By, chips: dict[By, Any]) -> None:
        self._shown.by = by
        _press(chips, by)
        await self.read()

    async def _step(self, day: date) -> None:
        self._shown.day = day
        await self.read()

    async def read(self) -> None:
        """Ask the API, and show what it says."""
        try:
            self._told = await self._page.api.get("/v1/money", **self._shown.asked)
            self._why = ""
        except ApiError as error:
            self._why = error.sentence
        self._show()

    def _show(self) -> None:
        page, told, way = self._page, self._told, self._shown.way
        if told is None:
            self._title.set_text(page.t("money.not_away", why=page.words(self._why)))
            return
        saved = told["total"][way]
        net = float(saved["net"])
        span = {"day": "month", "month": "year", "year": "all"}[self._shown.by]
        verb = "lost" if net < 0 else "saved"
        self._title.set_text(page.t(f"money.{verb}_{span}", period=self._period_name()))
        self._net.set_text(page.numbers.money(abs(net)))
        self._net.classes(remove="good bad", add="bad" if net < 0 else "good")
        self._show_sum(saved)
        self._about.set_text(page.t(f"money.about_{way}" if told["rows"] else "money.nothing_yet"))
        currency = page.numbers.currency
        self._bars_title.set_text(page.t(f"money.bars_{self._shown.by}", currency=currency))
        self._show_steps()
        labels = [self._row_name(row["name"], short=True) for row in told["rows"]]
        names = [self._row_name(row["name"]) for row in told["rows"]]
        self._chart.show(labels, names, [row[way] for row in told["rows"]])
        self._show_table(told, names)
        notes = [page.words(note) for note in told["notes"]]
        self._notes.set_text(f"{page.t('money.less_sure')}: {' '.join(notes)}" if notes else "")
        self._notes.classes(remove="hidden") if notes else self._notes.classes(add="hidden")

    def _show_sum(self, saved: dict[str, Any]) -> None:
        """Gross less wear comes to net, as one reads it."""
        page, money = self._page, self._page.numbers.money
        self._sum.clear()
        with self._sum:
            _term(money(saved["gross"]), page.t("money.gross"))
            _sign("−", page.t("money.minus"))
            _term(money(saved["wear"]), page.t("money.wear"))
            _sign("=", page.t("money.equals"))
            _term(money(saved["net"]), page.t("money.net"))

    def _show_steps(self) -> None:
        page, today = self._page, self._page.numbers.local(self._page.site["at"]).date()
        self._steps.clear()
        with self._steps:
            for later in (False, True):
                day = self._shown.moved(later)
                name = page.t("money.later" if later else "money.earlier")
                step = button("›" if later else "‹", lambda day=day: self._step(day), "icon-button")
                step.props(f'aria-label="{name}"')
                if day is None or day > today or day.year < 2000:
                    step.props("disabled")
                if not later:
                    text(self._period_name(), "muted", tag="span")

    def _show_table(self, told: dict[str, Any], names: list[str]) -> None:
        page, numbers, way = self._page, self._page.numbers, self._shown.way
        heads = (
            "col_period",
            "gross",
            "wear",
            "net",
            "col_cost",
            "col_would",
            "col_charged",
            "col_given",
        )
        self._table.clear()
        with self._table:
            text(page.t("money.table"), "", tag="summary")
            with (
                bare("div", "table-holder")
                .props("tabindex=0 role=region")
                .props(f'aria-label="{page.t("money.table")}"'),
                bare("table"),
            ):
                with bare("thead"), bare("tr"):
                    for head in heads:
                        text(page.t(f"money.{head}"), tag="th").props("scope=col")
                with bare("tbody"):
                    rows = [
                        *zip(names, told["rows"], strict=True),
                        (page.t("money.total"), told["total"]),
                    ]
                    for name, row in rows:
                        saved = row[way]
                        with bare("tr"):
                            text(name, tag="th").props("scope=row")
                            for amount in (
                                *(saved[part] for part in ("gross", "wear", "net")),
                                row["cost"],
                                saved["would_cost"],
                            ):
                                text(numbers.money(amount), tag="td")
                            for energy_kwh in (row["charged_kwh"], row["discharged_kwh"]):
                                text(f"{numbers.number(energy_kwh)} kWh", tag="td")

    def _period_name(self) -> str:
        if self._shown.by == "day":
            return self._month(self._shown.day.year, self._shown.day.month)
        if self._shown.by == "month":
            return str(self._shown.day.year)
        return self._page.t("money.all_years")

    def _month(self, year: int, month: int) -> str:
        return f"{self._page.t(f'money.month_{month}')} {year}"

    def _row_name(self, name: str, *, short: bool = False) -> str:
        """2026-11-22 as Sun 22, or 22 below a bar; 2026-11 as November 2026, or Nov."""
        if len(name) == 10:
            day = date.fromisoformat(name)
            weekday = self._page.numbers.day(datetime.combine(day, time()))
            return str(day.day) if short else f"{weekday} {day.day}"
        if len(name) == 7:
            year, month = (int(part) for part in name.split("-"))
            return self._page.t(f"money.month_{month}")[:3] if short else self._month(year, month)
        return name


def _press(chips: dict[Any, Any], chosen: object) -> None:
    for key, chip in chips.items():
        chip.props(f"aria-pressed={str(key == chosen).lower()}")


def _term(amount: str, name: str) -> None:
    with bare("div", "term"):
        text(amount, "amount")
        text(name, "muted small")


def _sign(sign: str, said: str) -> None:
    with bare("div", "sign"):
        text(sign, tag="span").props("aria-hidden=true")
        text(said, "only-read", tag="span")


def _exports(page: Page, battery: BatteryCard, shown: _Shown) -> None:
    async def save(path: str, name: str, **asked: str) -> None:
        found = await page.ask(page.api.download(path, **asked))
        if found is not None:
            data, media_type = found
            with page.client:
                ui.download.content(data, name, media_type)

    async def statement() -> None:
        name = (
            f"parkwatt-{page.t('money.battery', car=battery.car_id).replace(' ', '-').lower()}.pdf"
        )
        await save(f"{battery.path}.pdf", name, language=page.language)

    with card(page.t("money.exports"), classes="money-files"):
        text(page.t("money.exports_about"), "muted", tag="p")
        with bare("div", "buttons money-exports"):
            button(page.t("money.pdf"), statement)
            button(
                page.t("money.csv_battery"),
                lambda: save(f"{battery.path}.csv", "battery.csv"),
                "button quiet",
            )
            button(
                page.t("money.csv_money"),
                lambda: save("/v1/money.csv", f"money-by-{shown.by}.csv", **shown.asked),
                "button quiet",
            )
