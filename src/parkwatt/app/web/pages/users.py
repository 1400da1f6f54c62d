"""Users: oneself and one's password; for owners all others with their roles and cars, links to sign in with, and API tokens."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from nicegui import ui

from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.users_programs import Programs
from parkwatt.app.web.pages.users_secret import Secret
from parkwatt.app.web.parts import bare, button, card, text
from parkwatt.app.web.parts.form import Values, checks, choice, empty, field, form, send

_ROLES: Final = ("driver", "guest", "installer", "owner")


async def content(page: Page) -> None:
    """Build it."""
    if not page.person.may("users"):
        await _Me(page).show()
        return
    with bare("div", "columns"):
        people = _People(page)
        with bare("div", "stack"):
            me = _Me(page)
            programs = Programs(page)
    await me.show()
    await people.read()
    await programs.read()


class _Me:
    """Whoever looks: their role, their password, their devices."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._card = card(classes="stack")

    async def show(self) -> None:
        """Ask the API who this is, and draw it."""
        page = self._page
        me = await page.ask(page.api.get("/v1/session"))
        if me is None:
            return
        self._card.clear()
        with self._card:
            with bare("div", "line"):
                text(page.t("users.you", name=me["name"]), tag="h2")
                text(_role(page, me["role"]), "muted")
            if me["expires_at"] is None:
                text(page.t("users.no_person"), "muted", tag="p")
                return
            day = f"{page.numbers.local(me['expires_at']):%Y-%m-%d}"
            text(page.t("users.signed_in_until", day=day), "muted", tag="p")
            self._password(me)
            with bare("div", "buttons"):
                button(page.t("users.sign_out_everywhere"), self._sign_out, "button quiet")

    def _password(self, me: dict[str, Any]) -> None:
        page = self._page
        has_one = me["has_password"]
        words = page.t("users.change_password" if has_one else "users.choose_password")
        with bare("details", "more"):
            text(words, tag="summary")
            with form(self._set_password):
                # A password manager wants to know whose password it keeps.
                name = bare("input").props("type=hidden name=name autocomplete=username")
                name.props["value"] = me["name"]
                if has_one:
                    field(
                        page.t("users.current"),
                        "current",
                        "type=password required autocomplete=current-password maxlength=256",
                    )
                field(
                    page.t("users.password"),
                    "password",
                    "type=password required autocomplete=new-password minlength=10 maxlength=256",
                )
                text(page.t("users.password_rule"), "muted", tag="p")
                with bare("div", "buttons"):
                    send(words)

    async def _set_password(self, values: Values) -> None:
        page = self._page
        wish = {"password": values.one("password") or "", "current": values.one("current")}
        if await page.ask(page.api.put("/v1/session/password", wish)) is not None:
            page.say(page.t("users.password_set"))
            await self.show()

    async def _sign_out(self) -> None:
        page = self._page
        if await page.ask(page.api.delete("/v1/session?everywhere=true")) is not None:
            ui.navigate.to("/sign-in")


class _People:
    """The card of all users."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._cars = {car["car_id"]: car["car_id"] for car in page.site["cars"]}
        with card(page.t("users.people"), classes="stack"):
            text(page.t("users.people_text"), "muted", tag="p")
            self._list = bare("ul", "plain-list")
            self._secret = Secret(page)
            with bare("details", "more"):
                text(page.t("users.new_user"), tag="summary")
                with form(self._add) as self._form:
                    field(
                        page.t("users.name_field"), "name", "required maxlength=48 autocomplete=off"
                    )
                    self._rights("driver", list(self._cars), backup=False)
                    with bare("div", "buttons"):
                        send(page.t("users.add_user"))

    async def read(self) -> None:
        """Show the users there are."""
        page = self._page
        users: list[dict[str, Any]] | None = await page.ask(page.api.get("/v1/users"))
        self._list.clear()
        with self._list:
            for user in users or []:
                self._row(user)
            if not users:
                text(page.t("users.nobody"), "muted", tag="li")

    def _rights(self, role: str, cars: list[str], *, backup: bool) -> None:
        """The fields of role, cars and backup."""
        page = self._page
        roles = {one: page.t(f"users.role_{one}") for one in _ROLES}
        choice(page.t("users.role"), "role", roles, role)
        drivers = page.t("users.of_a_driver")
        with bare("div", "stack"):
            if self._cars:
                checks(f"{page.t('users.cars')} {drivers}", "cars", self._cars, cars)
            legend = f"{page.t('users.may')} {drivers}"
            may = {"backup": page.t("users.scope_backup")}
            checks(legend, "may", may, ["backup"] if backup else [])

    def _row(self, user: dict[str, Any]) -> None:
        page = self._page
        seen = user["seen_at"]
        last = (
            page.t("users.never_seen")
            if seen is None
            else page.t("users.seen", at=page.numbers.clock(seen, page.site["at"]))
        )
        cars = ", ".join(user["cars"] or []) if user["role"] == "driver" else ""
        path = f"/v1/users/{quote(user['name'], safe='')}"

        async def change(values: Values) -> None:
            wish = {
                "role": values.one("role"),
                "cars": values.all("cars"),
                "backup": "backup" in values.all("may"),
            }
            if await page.ask(page.api.patch(path, wish)) is not None:
                page.say(page.t("users.changed", name=user["name"]))
                await self.read()

        async def sign_out() -> None:
            if await page.ask(page.api.delete(f"{path}/sessions")) is not None:
                page.say(page.t("users.signed_out", name=user["name"]))
                await self.read()

        async def remove() -> None:
            if await page.ask(page.api.delete(path)) is not None:
                await self.read()

        async def link() -> None:
            await self._link(user["name"])

        with bare("li", "user"), bare("details", "more"):
            with bare("summary"), bare("div", "who"):
                text(user["name"], "strong", tag="span")
                words = filter(None, (_role(page, user["role"]), cars, last))
                text(" · ".join(words), "muted", tag="span")
            with form(change):
                self._rights(user["role"], user["cars"] or [], backup=user["backup"])
                with bare("div", "buttons"):
                    send(page.t("users.save"))
                    button(page.t("users.link"), link, "button quiet")
                    button(page.t("users.sign_out"), sign_out, "button quiet")
                    _sure(page, page.t("users.remove"), remove)

    async def _add(self, values: Values) -> None:
        page = self._page
        name = values.one("name") or ""
        wish = {
            "name": name,
            "role": values.one("role"),
            "cars": values.all("cars"),
            "backup": "backup" in values.all("may"),
        }
        made = await page.ask(page.api.post("/v1/users", wish))
        if made is not None:
            empty(self._form)
            await self.read()
            await self._link(made["name"])

    async def _link(self, name: str) -> None:
        page = self._page
        made = await page.ask(page.api.post("/v1/links", {"name": name}))
        if made is None:
            return
        place = await ui.run_javascript("location.origin + (window.path_prefix || '')")
        until = page.numbers.clock(made["expires_at"], page.site["at"])
        self._secret.show(
            page.t("users.link_of", name=name),
            f"{place}{made['path']}",
            page.t("users.link_text", until=until),
        )


def _sure(page: Page, label: str, do: Any) -> None:
    """A button that asks again before it does something that cannot be undone."""
    element = button(label, lambda: None, "button quiet")

    async def clicked() -> None:
        if "danger" in element.classes:
            await do()
            return
        element.classes(remove="quiet", add="danger")
        element.set_text(page.t("users.sure"))

    element.on("click", clicked)


def _role(page: Page, role: str) -> str:
    """What a role is called, without what it may."""
    return page.t(f"users.role_{role}").partition(":")[0]
