"""The site's file on the page: each value in a field of its own, by table; or the whole text."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, button, card, text
from parkwatt.app.web.parts.basic import Text
from parkwatt.app.web.parts.form import box

Path = tuple[str | int, ...]
_VALUE: Final = "(e) => emit(e.target.value)"
_CHECKED: Final = "(e) => emit(e.target.checked)"


class _Change:
    """Sends the file anew, and tells what became of it."""

    def __init__(self, page: Page, version: str) -> None:
        self._page = page
        self._version = version

    async def send(self, *, only_check: bool = False, **wanted: object) -> ApiError | None:
        """``wanted``: text or tables. What was wrong, None: nothing."""
        page = self._page
        body = {"version": self._version, "only_check": only_check, **wanted}
        try:
            done = await page.api.put("/v1/settings", body)
        except ApiError as error:
            if not error.faults:
                page.tell(error)
            return error
        if only_check:
            fields = ", ".join(done["changed"]) or "–"
            page.say(page.t("settings.would_change", fields=fields))
        elif done["begins_again"]:
            page.say(page.t("settings.begins_again"))
        else:
            page.say(page.t("settings.saved"))
            ui.navigate.reload()
        return None


class TablesCard:
    """Every value in a field; what has no field yet is written in the file."""

    def __init__(self, page: Page, shown: dict[str, Any]) -> None:
        self._page = page
        self._tables = deepcopy(shown["tables"])
        self._change = _Change(page, shown["version"])
        self._faults: dict[str, Text] = {}
        with card(classes="stack"):
            text(page.t("settings.values"), tag="h2")
            text(page.t("settings.values_why"), "muted", tag="p")
            plain = {k: v for k, v in self._tables.items() if not isinstance(v, dict | list)}
            if plain:
                self._values((), plain)
            for name, value in self._tables.items():
                if isinstance(value, dict):
                    self._table((name,), name, value)
                elif isinstance(value, list):
                    for index, one in enumerate(value):
                        if isinstance(one, dict):
                            label = f"{name} {one.get('id') or one.get('name') or index + 1}"
                            self._table((name, index), label, one)
            self._rest = text("", "fault", tag="p").props("role=alert")
            with bare("div", "buttons"):
                button(page.t("settings.save"), self._save)

    def _table(self, path: Path, label: str, table: dict[str, Any]) -> None:
        with bare("details", "more"):
            text(label, tag="summary")
            with bare("div", "stack"):
                self._values(path, table)

    def _values(self, path: Path, table: dict[str, Any]) -> None:
        for name, value in table.items():
            at = (*path, name)
            if isinstance(value, bool):
                self._switch(at, value)
            elif isinstance(value, int | float | str):
                self._field(at, value)
            elif isinstance(value, dict):
                self._values(at, value)

    def _field(self, path: Path, value: float | str) -> None:
        kind = "text" if isinstance(value, str) else "number step=any"

        def take(event: Any) -> None:
            self._put(path, event.args if isinstance(value, str) else _number(event.args))

        with bare("label", "field"):
            text(_label(path), tag="span")
            box(f"type={kind} autocomplete=off", str(value)).on("change", take, js_handler=_VALUE)
        self._fault(path)

    def _switch(self, path: Path, value: bool) -> None:
        with bare("label", "switch-line"):
            check = bare("input").props("type=checkbox")
            if value:
                check.props("checked")
            text(_label(path), tag="span")
            check.on("change", lambda event: self._put(path, event.args), js_handler=_CHECKED)
        self._fault(path)

    def _fault(self, path: Path) -> None:
        self._faults[_name(path)] = text("", "fault hidden", tag="p").props("role=alert")

    def _put(self, path: Path, value: Any) -> None:
        table = self._tables
        for part in path[:-1]:
            table = table[part]
        table[path[-1]] = value

    async def _save(self) -> None:
        for told in self._faults.values():
            told.set_text("")
            told.classes(add="hidden")
        error = await self._change.send(tables=self._tables)
        rest = []
        for field, rule, _ in () if error is None else error.faults:
            place = self._faults.get(field)
            if place is None:
                rest.append(f"{field} {self._page.words(rule)}")
                continue
            place.set_text(self._page.words(rule))
            place.classes(remove="hidden")
        self._rest.set_text("; ".join(rest))
        if error is not None:
            ui.run_javascript(
                "for (const one of document.querySelectorAll('.fault:not(.hidden)')) "
                "{ const box = one.closest('details'); if (box) box.open = true }"
            )


class FileCard:
    """The whole file as text."""

    def __init__(self, page: Page, shown: dict[str, Any]) -> None:
        self._page = page
        self._text = shown["text"]
        self._change = _Change(page, shown["version"])
        with card(classes="stack"):
            text(page.t("settings.file"), tag="h2")
            text(shown["file"], "muted small", tag="p")
            with bare("details", "more"):
                text(page.t("settings.file_open"), tag="summary")
                with bare("div", "stack"):
                    with bare("label", "field"):
                        text(page.t("settings.file_label"), tag="span")
                        whole = text(self._text, "file-text", tag="textarea")
                        whole.props("rows=24 spellcheck=false autocapitalize=off")
                        whole.on("change", self._take, js_handler=_VALUE)
                    self._faults = text("", "fault", tag="p").props("role=alert")
                    with bare("div", "buttons"):
                        button(page.t("settings.check"), self._check, "button quiet")
                        button(page.t("settings.save"), self._save)

    def _take(self, event: Any) -> None:
        self._text = str(event.args)

    async def _check(self) -> None:
        await self._send(only_check=True)

    async def _save(self) -> None:
        await self._send(only_check=False)

    async def _send(self, *, only_check: bool) -> None:
        error = await self._change.send(only_check=only_check, text=self._text)
        faults = () if error is None else error.faults
        words = self._page.words
        self._faults.set_text("; ".join(f"{field} {words(rule)}" for field, rule, _ in faults))


def _name(path: Path) -> str:
    """A field as faults name it: charger[0].id."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name


def _label(path: Path) -> str:
    """Without the table that stands above it."""
    keys = [str(part) for part in path if isinstance(part, str)]
    return ".".join(keys[1:] or keys)


def _number(given: str) -> float | int | str:
    """A number as it was typed: whole ones stay whole. What is none the API tells."""
    try:
        number = float(given)
    except ValueError:
        return given
    return int(number) if number.is_integer() and "." not in given else number
