"""The set-up: five questions, one a screen, then the first night with money; at its end the site begins.

The answers live in the API's draft, so that a reload or another device goes on where one was.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.setup_fields import Fields
from parkwatt.app.web.pages.setup_night import build_night
from parkwatt.app.web.pages.setup_steps import Draft, Step
from parkwatt.app.web.parts import bare, button, text

_STEPS: Final = ("place", "car", "charger", "home", "wishes")
# The site's own pages come up at the same address: go there as soon as they are.
_GO_ON: Final = """
setInterval(async () => {
  try {
    const page = await (await fetch(window.path_prefix + '/', {cache: 'no-store'})).text();
    if (page.includes('Parkwatt · home')) location.assign(window.path_prefix + '/');
  } catch (away) { }
}, 700)
"""


async def set_up_page(page: Page, at: dict[str, Any]) -> None:
    """Build it. ``at``: what the API shows of the set-up."""
    with bare("div", "setup"):
        if not page.person.may("settings"):
            text(page.t("setup.heading"), tag="h1")
            text(page.t("setup.not_yours"), tag="p")
            return
        known = await page.ask(page.api.get("/v1/setup/catalogue"))
        if known is not None:
            _SetUpFlow(page, at, known)


class _SetUpFlow:
    """Which screen is shown, and the way between them."""

    def __init__(self, page: Page, at: dict[str, Any], known: dict[str, Any]) -> None:
        self._page = page
        self._known = known
        self._draft: Draft = deepcopy(at["draft"])
        self._index = 0
        self._fields: Fields | None = None
        with bare("header", "setup-top"):
            text("Parkwatt", "setup-name", tag="p")
            self._where = text("", "muted")
        self._progress = bare("div", "setup-progress").props(
            f'role=progressbar aria-label="{page.t("setup.progress")}" '
            f"aria-valuemin=0 aria-valuemax={len(_STEPS) + 1}"
        )
        with self._progress:
            self._done = bare("div", "setup-done")
        self._main = bare("main", "setup-main").props("id=content tabindex=-1")
        if at["finished"]:
            self._begin_screen()
        else:
            self._show()

    def _show(self, *, focus: bool = False) -> None:
        page, name = self._page, _STEPS[self._index]
        self._where.set_text(page.t("setup.where", step=self._index + 1, steps=len(_STEPS)))
        self._move(self._index)
        self._main.clear()
        with self._main:
            heading = text(page.t(f"setup.{name}_question"), tag="h1").props("tabindex=-1")
            text(page.t(f"setup.{name}_why"), "muted", tag="p")
            with bare("section", "card stack"):
                step = Step(page, self._draft, self._known, self._show)
                self._fields = step.build(name)
            self._homeless = text("", "fault hidden", tag="p").props("role=alert")
            self._buttons(page.t("setup.next"), self._next)
        if focus:
            heading.run_method("focus")
            ui.run_javascript("window.scrollTo(0, 0)")

    def _buttons(self, forward: str, go: Any) -> None:
        with bare("div", "setup-buttons"):
            if self._index > 0:
                button(self._page.t("setup.back"), self._back, "button quiet")
            self._forward = button(forward, go, "button wide")

    def _move(self, done: int) -> None:
        share = 100 * done / (len(_STEPS) + 1)
        self._done.style(f"width: {share:.0f}%")
        self._progress.props(f"aria-valuenow={done}")

    def _back(self) -> None:
        self._index -= 1
        self._show(focus=True)

    async def _next(self) -> None:
        page, name = self._page, _STEPS[self._index]
        faults = await self._faults(name)
        if faults is None:
            return
        if faults and self._fields is not None:
            rest = self._fields.show_faults([(field, page.words(rule)) for field, rule in faults])
            self._homeless.set_text("; ".join(rest))
            self._homeless.classes(remove="hidden") if rest else self._homeless.classes(
                add="hidden"
            )
            ui.run_javascript(
                "document.querySelector('.fault:not(.hidden)')?.scrollIntoView({block: 'center'})"
            )
            return
        if self._index + 1 < len(_STEPS):
            self._index += 1
            self._show(focus=True)
            return
        await self._night()

    async def _faults(self, step: str) -> list[tuple[str, str]] | None:
        """The faults of a step; None where nobody answered, which the person was told."""
        try:
            told = await self._page.api.post(
                "/v1/setup/check", {"draft": self._sent(), "step": step}
            )
        except ApiError as error:
            if error.faults:
                return [(field, rule) for field, rule, _ in error.faults]
            self._page.tell(error)
            return None
        return [(fault["field"], fault["rule"]) for fault in told["faults"]]

    def _sent(self) -> Draft:
        """The draft as the API takes it: an empty field is its default."""
        return {
            step: {name: value for name, value in answers.items() if value is not None}
            for step, answers in self._draft.items()
        }

    async def _night(self) -> None:
        page = self._page
        self._forward.props("disabled")
        self._forward.set_text(page.t("setup.reckoning"))
        night = await page.ask(page.api.post("/v1/setup/preview", {"draft": self._sent()}))
        if night is None:
            self._show()
            return
        self._index = len(_STEPS)
        self._where.set_text(page.t("setup.ready"))
        self._move(self._index)
        self._main.clear()
        with self._main:
            heading = text(page.t("setup.night_question"), tag="h1").props("tabindex=-1")
            text(page.t("setup.night_why"), "muted", tag="p")
            with bare("div", "columns"):
                build_night(page, night, self._draft)
            self._buttons(page.t("setup.begin"), self._begin)
        heading.run_method("focus")
        ui.run_javascript("window.scrollTo(0, 0)")

    async def _begin(self) -> None:
        page = self._page
        if await page.ask(page.api.post("/v1/setup/finish", {"draft": self._sent()})) is not None:
            self._begin_screen()

    def _begin_screen(self) -> None:
        page = self._page
        self._where.set_text("")
        self._move(len(_STEPS) + 1)
        self._main.clear()
        with self._main:
            text(page.t("setup.beginning"), tag="h1")
            text(page.t("setup.beginning_why"), "muted", tag="p").props("role=status")
        ui.run_javascript(_GO_ON)
