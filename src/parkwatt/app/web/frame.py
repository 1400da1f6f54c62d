"""What stands around every page: its heading, the ways to the others, what is wrong now, and the menu."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.catalogue import LANGUAGES
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, text

# Drawn for Parkwatt on a grid of 24.
ICONS: Final = {
    "home": '<path d="M4 11 12 4l8 7M6 9.500V20h12V9.5"/>',
    "plan": '<path d="M4 19V5M4 19h16M8 15v-3M12 15V8M16 15v-5M20 15v-2"/>',
    "car": '<path d="M4 16v-4l2-5h12l2 5v4M4 12h16M4 16h16M7 16v3M17 16v3"/>',
    "backup": '<path d="M12 3 5 6v6c0 4 3 7 7 9 4-2 7-5 7-9V6zM13 8l-3 5h4l-3 4"/>',
    "money": '<path d="M4 18 9 12l4 3 7-9M15 6h5v5"/>',
    "menu": '<path d="M5 7h14M5 12h14M5 17h14"/>',
}
_THEMES: Final = ("auto", "light", "dark")


def icon(name: str) -> None:
    """An icon, which says nothing to a screen reader: a name stands beside it."""
    svg = f'<svg viewBox="0 0 24 24" aria-hidden="true">{ICONS[name]}</svg>'
    ui.html(svg, sanitize=False).classes("icon-box")


def frame(
    page: Page, name: str, ways: list[tuple[str, str]], others: list[tuple[str, str]]
) -> ui.element:
    """The frame; what it returns holds the content. ``ways``: (name, path) of the pages below, ``others``: of the menu."""
    with bare("div", "frame"):
        ui.html(
            f'<a class="skip" href="#content">{page.t("frame.skip")}</a>', sanitize=False, tag="div"
        )
        with bare("header", "top"):
            text(page.t(f"{name}.heading"), tag="h1")
            with bare("div", "side"):
                clock = text("", "clock")
                _menu(page, others)
        with bare("nav", "ways").props(f'aria-label="{page.t("frame.ways")}"'):
            for other, path in ways:
                link = ui.link(target=path).classes("way")
                if other == name:
                    link.props("aria-current=page")
                with link:
                    icon(other)
                    text(page.t(f"{other}.name"), tag="span")
        with bare("main", "content").props("id=content tabindex=-1") as content:
            stale = text("", "stale hidden").props("role=status")
            alarms = bare("div", "stack hidden")

    def show(site: dict[str, Any]) -> None:
        at = page.numbers.local(site["at"])
        clock.set_text(f"{page.numbers.day(at)} {at:%H:%M}")
        stale.set_text(page.t("frame.stale", at=f"{at:%H:%M}"))
        stale.classes(remove="hidden") if not page.fresh else stale.classes(add="hidden")
        _show_alarms(alarms, [page.words(alarm) for alarm in site["alarms"]])

    page.on_site(show)
    return content


def _show_alarms(holder: ui.element, alarms: list[str]) -> None:
    if getattr(holder, "shown", None) == alarms:
        return
    holder.shown = list(alarms)  # type: ignore[attr-defined]
    holder.clear()
    holder.classes(remove="hidden") if alarms else holder.classes(add="hidden")
    with holder:
        for alarm in alarms:
            text(alarm, "alarm").props("role=alert")


def _menu(page: Page, others: list[tuple[str, str]]) -> None:
    with bare("button", "icon-button").props(
        f'type=button aria-label="{page.t("frame.menu")}" aria-haspopup=menu'
    ):
        icon("menu")
        with ui.menu().props('anchor="bottom right" self="top right" auto-close'):
            for other, path in others:
                ui.menu_item(page.t(f"{other}.name"), lambda to=path: ui.navigate.to(to))
            ui.separator()
            for theme in _THEMES:
                ui.menu_item(page.t(f"frame.theme_{theme}"), lambda to=theme: _choose("theme", to))
            ui.separator()
            for language, own_name in LANGUAGES.items():
                ui.menu_item(own_name, lambda to=language: _choose("language", to))
            ui.separator()
            ui.menu_item(
                page.t("frame.sign_out", name=page.person.name),
                lambda: ui.run_javascript(
                    "fetch(window.path_prefix + '/sign-out', {method: 'POST'})"
                    ".then(() => location.assign(window.path_prefix + '/sign-in'))"
                ),
            )


def _choose(what: str, value: str) -> None:
    """Keep a choice in the browser, and show the page anew by it."""
    ui.run_javascript(
        f"document.cookie = 'parkwatt_{what}={value};path=' + (window.path_prefix || '/')"
        " + ';max-age=31536000;samesite=lax'; location.reload()"
    )
