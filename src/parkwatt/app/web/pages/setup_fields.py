"""The questions of the set-up: inputs that write into one table of answers and show their own faults."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from nicegui import ui

from parkwatt.app.web.parts import bare, button, text
from parkwatt.app.web.parts.basic import Text
from parkwatt.app.web.parts.form import box

_COUNT = itertools.count()
OnChange = Callable[[], None]
# What a number field sends: null where it is empty or no number.
_NUMBER = "(e) => emit(e.target.value === '' ? null : Number(e.target.value))"
_VALUE = "(e) => emit(e.target.value)"


class Fields:
    """The fields of one step. ``answers``: the step's table; ``step``: its name, as faults name it."""

    def __init__(self, step: str, answers: dict[str, Any], on_change: OnChange) -> None:
        self.step = step
        self.answers = answers
        self._on_change = on_change
        self._faults: dict[str, tuple[Text, ui.element | None]] = {}

    def show_faults(self, faults: Iterable[tuple[str, str]]) -> list[str]:
        """Show each fault (field, rule) at its field; returns those that no field is there for."""
        for label, line in self._faults.values():
            label.set_text("")
            label.classes(add="hidden")
            if line is not None:
                line.props(remove="aria-invalid")
        homeless = []
        for field, rule in faults:
            name = field.rpartition(".")[2]
            if name not in self._faults:
                homeless.append(f"{name.replace('_', ' ')}: {rule}")
                continue
            label, line = self._faults[name]
            label.set_text(rule)
            label.classes(remove="hidden")
            if line is not None:
                line.props("aria-invalid=true")
        return homeless

    def number(
        self, name: str, label: str, *, unit: str = "", hint: str = "", scale: float = 1.0
    ) -> None:
        """A number. ``scale``: shown times this, as 100 for a share in %."""
        value = self.answers[name]
        shown = "" if value is None else f"{float(value) * scale:g}"

        def take(event: Any) -> None:
            given = event.args
            self._take(name, None if given is None else round(float(given) / scale, 6))

        self._input(name, label, unit, hint, "type=number step=any", shown, _NUMBER, take)

    def words(self, name: str, label: str, *, hint: str = "", kind: str = "text") -> None:
        """A text, or a time."""

        def take(event: Any) -> None:
            self._take(name, str(event.args))

        self._input(name, label, "", hint, f"type={kind}", self.answers[name], _VALUE, take)

    def select(self, name: str, label: str, options: list[tuple[str, str]]) -> None:
        """One of a list of (value, shown)."""
        with bare("label", "field"):
            text(label, tag="span")
            chosen = bare("select").props(f'name="{name}"')
            with chosen:
                for value, shown in options:
                    option = text(shown, tag="option")
                    option.props["value"] = value
                    if value == self.answers[name]:
                        option.props("selected")
            chosen.on("change", lambda event: self._take(name, event.args), js_handler=_VALUE)
        self._fault(name, chosen)

    def choice(
        self, name: str, label: str, options: list[tuple[Any, str]], *, big: bool = False
    ) -> None:
        """One of a few, all seen at once."""
        with bare("div", "field"):
            text(label, tag="span")
            with bare("div", "choices" if big else "chips").props(
                f'role=group aria-label="{escape(label, quote=True)}"'
            ):
                chips: dict[Any, Text] = {}
                for value, shown in options:
                    chips[value] = button(
                        shown,
                        lambda value=value: self._press(name, value, chips),
                        "choice" if big else "chip",
                        pressed=value == self.answers[name],
                    )
        self._fault(name, None)

    def days(self, name: str, label: str, options: list[tuple[str, str]]) -> None:
        """Any of a few."""
        with bare("div", "field"):
            text(label, tag="span")
            with bare("div", "chips").props(f'role=group aria-label="{escape(label, quote=True)}"'):
                for value, shown in options:
                    chip = button(shown, lambda: None, "chip", pressed=value in self.answers[name])
                    chip.on("click", lambda value=value, chip=chip: self._toggle(name, value, chip))
        self._fault(name, None)

    def switch(self, name: str, label: str, hint: str = "") -> None:
        """Yes or no."""
        with bare("label", "switch-line"):
            check = bare("input").props("type=checkbox")
            if self.answers[name]:
                check.props("checked")
            with bare("span", "stack-tight"):
                text(label, "strong", tag="span")
                if hint:
                    text(hint, "muted small", tag="span")
            check.on(
                "change",
                lambda event: self._take(name, bool(event.args)),
                js_handler="(e) => emit(e.target.checked)",
            )
        self._fault(name, check)

    def share(self, name: str, label: str, say: Callable[[int], str]) -> None:
        """A share in per cent, by a slider."""
        percent = round(self.answers[name] * 100)
        with bare("label", "field"):
            with bare("span", "line"):
                text(label, tag="span")
                told = text(say(percent), "strong", tag="span")
            slider = box("type=range min=0 max=100 step=5", str(percent))

            def take(event: Any) -> None:
                told.set_text(say(int(event.args)))
                self._take(name, int(event.args) / 100)

            slider.on("input", take, js_handler=_NUMBER, throttle=0.1)
        self._fault(name, slider)

    def _input(
        self,
        name: str,
        label: str,
        unit: str,
        hint: str,
        props: str,
        value: object,
        script: str,
        take: Callable[[Any], None],
    ) -> None:
        number = next(_COUNT)
        with bare("label", "field"):
            text(label, tag="span")
            with bare("span", "with-unit"):
                line = box(f'name="{name}" autocomplete=off {props}', str(value))
                if unit:
                    text(unit, "muted", tag="span")
            if hint:
                text(hint, "muted small", tag="span").props(f"id=hint-{number}")
                line.props(f"aria-describedby=hint-{number}")
            line.on("change", take, js_handler=script)
        self._fault(name, line)

    def _fault(self, name: str, box: ui.element | None) -> None:
        self._faults[name] = (text("", "fault hidden", tag="p").props("role=alert"), box)

    def _take(self, name: str, value: Any) -> None:
        self.answers[name] = value
        self._on_change()

    def _press(self, name: str, value: Any, chips: dict[Any, Text]) -> None:
        for other, chip in chips.items():
            chip.props(f"aria-pressed={str(other == value).lower()}")
        self._take(name, value)

    def _toggle(self, name: str, value: str, chip: Text) -> None:
        kept = [one for one in self.answers[name] if one != value]
        if len(kept) == len(self.answers[name]):
            kept.append(value)
        chip.props(f"aria-pressed={str(value in kept).lower()}")
        self._take(name, kept)
