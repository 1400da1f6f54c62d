"""A form whose fields are the browser's own: it gives all of them at once when it is sent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from nicegui import ui
from nicegui.events import GenericEventArguments

from parkwatt.app.web.parts.basic import Text, bare, text

# A name of several fields (check boxes) gives several values, one that is empty none.
_TOLD: Final = """(event) => {
  event.preventDefault();
  const told = new FormData(event.target), values = {};
  for (const name of new Set(told.keys())) values[name] = told.getAll(name).filter((one) => one !== "");
  emit(values);
}"""


class Values:
    """What a form gives."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def one(self, name: str) -> str | None:
        """The value of a field; None: left empty."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        """The values of fields of one name."""
        return [str(one) for one in self._values.get(name, ())]


def form(on_send: Callable[[Values], Awaitable[None]], classes: str = "stack") -> ui.element:
    """A form; a button in it without a type sends it."""
    element = bare("form", classes)

    async def sent(event: GenericEventArguments) -> None:
        await on_send(Values(event.args if isinstance(event.args, dict) else {}))

    element.on("submit", sent, js_handler=_TOLD)
    return element


def empty(element: ui.element) -> None:
    """Bring a form's fields back to what they were at first."""
    ui.run_javascript(f"getHtmlElement({element.id}).reset()")


def box(properties: str, value: str = "") -> ui.element:
    """An input of the browser's own, with what stands in it at first.

    ``value`` goes in as the default: whenever any part of a page changes, Vue sets a property named
    "value" anew in all inputs, and what a person is writing would be gone.
    """
    element = bare("input").props(properties)
    element.props["defaultValue"] = value
    return element


def write(element: ui.element, value: str, *, even_in_use: bool = False) -> None:
    """Put another value into a :func:`box`.

    ``even_in_use``: also while a person is at it, as where what they said was not taken.
    """
    element.props["defaultValue"] = value
    element.update()
    spared = "false" if even_in_use else "document.activeElement === found"
    # Once written in, a field no longer follows its default.
    element.client.run_javascript(
        f"{{ const found = getHtmlElement({element.id}); "
        f"if (found && !({spared})) found.value = {json.dumps(value)} }}"
    )


async def read(element: ui.element) -> str:
    """What stands in a :func:`box`."""
    return str(await element.client.run_javascript(f"getHtmlElement({element.id}).value"))


def field(label: str, name: str, properties: str = "", value: str = "") -> ui.element:
    """A line to write in. ``properties``: of the input."""
    with bare("label", "field"):
        text(label, tag="span")
        return box(f"name={name} {properties}", value)


def choice(label: str, name: str, options: Mapping[str, str], chosen: str = "") -> ui.element:
    """One of several. ``options``: words by value."""
    with bare("label", "field"):
        text(label, tag="span")
        with bare("select").props(f"name={name}") as element:
            for value, words in options.items():
                option = text(words, tag="option")
                option.props["value"] = value
                if value == chosen:
                    option.props("selected")
    return element


def checks(
    legend: str, name: str, options: Mapping[str, str], chosen: Sequence[str] = ()
) -> ui.element:
    """Any of several. ``options``: words by value."""
    with bare("fieldset", "checks") as element:
        text(legend, "muted", tag="legend")
        for value, words in options.items():
            with bare("label", "check"):
                check = bare("input").props(f"type=checkbox name={name}")
                check.props["value"] = value
                if value in chosen:
                    check.props("checked")
                text(words, tag="span")
    return element


def send(label: str, classes: str = "button") -> Text:
    """The button that sends the form around it."""
    return text(label, classes, tag="button")
