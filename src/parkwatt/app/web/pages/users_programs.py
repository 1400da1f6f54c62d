"""API tokens on the page of users: what programs may, when each was last used, and new ones."""

from __future__ import annotations

from typing import Any, Final

from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.users_secret import Secret
from parkwatt.app.web.parts import bare, button, card, text
from parkwatt.app.web.parts.form import Values, checks, empty, field, form, send

_SCOPES: Final = ("read", "drive", "backup", "operate", "settings", "users")


class Programs:
    """The card of API tokens."""

    def __init__(self, page: Page) -> None:
        self._page = page
        cars = {car["car_id"]: car["car_id"] for car in page.site["cars"]}
        with card(page.t("users.programs"), classes="stack"):
            text(page.t("users.programs_text"), "muted", tag="p")
            self._list = bare("ul", "plain-list")
            self._secret = Secret(page)
            with bare("details", "more"):
                text(page.t("users.new_token"), tag="summary")
                with form(self._add) as self._form:
                    field(page.t("users.label"), "label", "required maxlength=48 autocomplete=off")
                    scopes = {one: page.t(f"users.scope_{one}") for one in _SCOPES}
                    checks(page.t("users.may"), "scopes", scopes, ["read"])
                    if cars:
                        checks(page.t("users.cars"), "cars", cars)
                    with bare("div", "buttons"):
                        send(page.t("users.make_token"))

    async def read(self) -> None:
        """Show the tokens there are."""
        page = self._page
        tokens: list[dict[str, Any]] | None = await page.ask(page.api.get("/v1/tokens"))
        self._list.clear()
        with self._list:
            for token in tokens or []:
                self._row(token)

    def _row(self, token: dict[str, Any]) -> None:
        page = self._page
        used = token["used_at"]
        seen = (
            page.t("users.never_used")
            if used is None
            else page.t("users.used", at=page.numbers.clock(used, page.site["at"]))
        )
        may = ", ".join(page.t(f"users.scope_{one}") for one in _SCOPES if one in token["scopes"])

        async def remove() -> None:
            if await page.ask(page.api.delete(f"/v1/tokens/{token['id']}")) is not None:
                await self.read()

        with bare("li", "tier"):
            with bare("div"):
                text(token["label"], "strong")
                text(" · ".join((may, seen)), "muted")
            button(page.t("users.take_away"), remove, "button quiet").props["aria-label"] = page.t(
                "users.take_away_whom", name=token["label"]
            )

    async def _add(self, values: Values) -> None:
        page = self._page
        wish = {
            "label": values.one("label") or "",
            "scopes": values.all("scopes"),
            "cars": values.all("cars") or None,
        }
        made = await page.ask(page.api.post("/v1/tokens", wish))
        if made is None:
            return
        empty(self._form)
        await self.read()
        self._secret.show(
            page.t("users.token_of", name=made["label"]), made["token"], page.t("users.shown_once")
        )
