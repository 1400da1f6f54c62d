"""The plain elements: text in any tag, a card with its heading, a button that is a button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """Text in a tag; `text` may be set at any time."""

    def __init__(self, tag: str, content: str) -> None:
        super().__init__(tag=tag, text=content)


def text(content: str = "", classes: str = "", tag: str = "div") -> Text:
    """A text. ``tag``: of HTML, such as h1, p or span."""
    element = Text(tag, content)
    element.classes(classes)
    return element


def bare(tag: str = "div", classes: str = "") -> ui.element:
    """An element that holds others."""
    return ui.element(tag).classes(classes)


def card(heading: str = "", side: str = "", classes: str = "") -> ui.element:
    """A card with its heading, and a remark at its right."""
    element = bare("section", f"card {classes}")
    if heading:
        with element, bare("div", "line"):
            text(heading, tag="h2")
            if side:
                text(side, "muted")
    return element


def button(
    label: str,
    on_click: Callable[..., Any],
    classes: str = "button",
    *,
    pressed: bool | None = None,
) -> Text:
    """A button. ``pressed``: of one that is a choice, None for one that does something."""
    element = Text("button", label)
    element.classes(classes).props("type=button").on("click", on_click)
    if pressed is not None:
        element.props(f"aria-pressed={str(pressed).lower()}")
    return element
