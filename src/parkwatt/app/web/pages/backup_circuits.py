"""The circuits by tier: what is on, what off would gain, and switches that a thumb finds in the dark; and the questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.page import Page
from parkwatt.app.web.pages import hours
from parkwatt.app.web.parts import bare, button, card, text

_TIERS: Final = ("must_have", "nice_to_have", "not_needed")
_CHOICES: Final = ("automatic", "keep_on", "keep_off")
_SEEN_KW: Final = 0.005


class Circuits:
    """A card for each tier that has circuits."""

    def __init__(self, page: Page, circuits: Sequence[dict[str, Any]]) -> None:
        self._page = page
        self._tiers: dict[str, Any] = {}
        self._rows: dict[str, _Row] = {}
        for tier in _TIERS:
            members = [one for one in circuits if one["tier"] == tier]
            if not members:
                continue
            with card(classes="tier-card"):
                with bare("div", "line"):
                    text(page.t(f"backup.{tier}"), tag="h2")
                    self._tiers[tier] = text("", "muted small")
                for circuit in members:
                    self._rows[circuit["circuit_id"]] = _Row(page, circuit)

    def show(self, backup: dict[str, Any]) -> None:
        """The backup now."""
        runtime = backup["runtime"]
        for tier, remark in self._tiers.items():
            remark.set_text("" if runtime is None else self._tier_words(tier, runtime))
        for circuit in backup["circuits"]:
            row = self._rows.get(circuit["circuit_id"])
            if row is not None:
                row.show(circuit, islanded=backup["islanded"])

    def _tier_words(self, tier: str, runtime: dict[str, Any]) -> str:
        found = runtime["tiers"].get(tier)
        if found is None:
            return ""
        page, lasts = self._page, found["hours"]
        long = hours.words(page, lasts["hours_p50"], at_least=lasts["at_least"])
        said = page.t("backup.tier_alone" if tier == _TIERS[0] else "backup.tier_with", hours=long)
        gain = found["off_gains_hours"]
        if tier == _TIERS[0] or gain is None or gain < hours.LEAST_H:
            return said
        more = hours.words(page, gain, at_least=found["off_gains_at_least"])
        return f"{said} · {page.t('backup.tier_off', hours=more)}"


class _Row:
    """One circuit. In an outage a switch; on the grid what is to become of it in one."""

    def __init__(self, page: Page, circuit: dict[str, Any]) -> None:
        self._page, self._id = page, circuit["circuit_id"]
        self._may = page.person.may("backup")
        self._shown: dict[str, Any] = circuit
        with bare("div", "tier circuit"):
            with bare("div", "circuit-text"):
                text(circuit["name"], tag="h3")
                self._words = text("", "muted small")
            with bare("div", "circuit-side") as self._side:
                self._switch = bare("button", "switch").props("type=button role=switch")
                self._switch.props["aria-label"] = circuit["name"]
                self._switch.on("click", self._turn)
                self._choice = bare("label", "field circuit-choice")
                with self._choice:
                    text(page.t("backup.in_outage", name=circuit["name"]), "only-read", tag="span")
                    self._select = _ChoiceSelect(page, circuit, self._choose)
                self._auto = button(
                    page.t("backup.leave"), lambda: self._choose("automatic"), "button quiet small"
                )
                self._auto.props["aria-label"] = page.t("backup.leave_said", name=circuit["name"])

    def show(self, circuit: dict[str, Any], *, islanded: bool) -> None:
        """As it is now."""
        self._shown = circuit
        self._words.set_text(self._circuit_words(circuit, islanded=islanded))
        on = _is_on(circuit)
        fixed = not circuit["switchable"] or not self._may or (circuit["medical"] and on)
        _show_if(self._switch, islanded and circuit["switchable"])
        _show_if(self._choice, not islanded and circuit["switchable"] and self._may)
        _show_if(self._auto, islanded and self._may and circuit["choice"] != "automatic")
        self._switch.props(f"aria-checked={str(on).lower()}")
        self._switch.props("disabled") if fixed else self._switch.props(remove="disabled")
        self._select.show(circuit["choice"])

    def _circuit_words(self, circuit: dict[str, Any], *, islanded: bool) -> str:
        page, found = self._page, []
        power_kw = circuit["power_kw"]
        if power_kw is not None and power_kw >= _SEEN_KW:
            found.append(f"{page.numbers.number(power_kw, 2)} kW")
        if circuit["on"] is False and not circuit["shed"]:
            found.append(page.t("backup.is_off"))
        if circuit["shed"] and circuit["choice"] != "keep_off":
            found.append(page.t("backup.shed"))
        if circuit["choice"] != "automatic":
            found.append(page.t(f"backup.you_{circuit['choice']}"))
        if circuit["medical"]:
            found.append(page.t("backup.medical"))
        elif not circuit["switchable"]:
            found.append(page.t("backup.no_switch"))
        gain = circuit["off_gains_hours"]
        if gain is not None and gain >= hours.LEAST_H and not circuit["medical"]:
            key = "backup.off_gains" if _is_on(circuit) else "backup.off_saves"
            more = hours.words(page, gain, at_least=circuit["off_gains_at_least"])
            if circuit["switchable"] or not islanded:
                found.append(page.t(key, hours=more))
        return " · ".join(found)

    async def _turn(self) -> None:
        await self._choose("keep_off" if _is_on(self._shown) else "keep_on")

    async def _choose(self, choice: str) -> None:
        if choice == self._shown["choice"]:
            return
        path = f"/v1/backup/circuits/{self._id}/choice"
        answer = await self._page.ask(self._page.api.put(path, {"choice": choice}))
        if answer is None:
            self._select.show(self._shown["choice"], anew=True)
            return
        mine = next(one for one in answer["circuits"] if one["circuit_id"] == self._id)
        self.show(mine, islanded=answer["islanded"])
        if answer["islanded"]:
            key = "backup.said_automatic" if choice == "automatic" else f"backup.said_{choice}"
            self._page.say(self._page.t(key, name=mine["name"]))


class _ChoiceSelect:
    """What is to become of a circuit in an outage: a select of the browser's own."""

    def __init__(self, page: Page, circuit: dict[str, Any], on_choice: Any) -> None:
        self._shown = ""
        self._element = bare("select").on(
            "change", lambda event: on_choice(event.args), js_handler="(e) => emit(e.target.value)"
        )
        self._options = {}
        with self._element:
            for choice in _CHOICES:
                if circuit["medical"] and choice == "keep_off":
                    continue
                option = text(page.t(f"backup.{choice}"), tag="option")
                option.props["value"] = choice
                self._options[choice] = option

    def show(self, choice: str, *, anew: bool = False) -> None:
        """The choice that holds. ``anew``: whatever the browser shows by now."""
        if choice == self._shown and not anew:
            return
        self._shown = choice
        self._element.props["value"] = choice
        self._element.update()
        for name, option in self._options.items():
            option.props("selected") if name == choice else option.props(remove="selected")


class Questions:
    """What persons are asked, with big buttons; nothing where nothing is asked."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._card = card(page.t("backup.questions"), classes="questions hidden")
        with self._card:
            self._holder = bare("div").props("aria-live=polite")
        self._shown: list[dict[str, Any]] = []

    def show(self, questions: list[dict[str, Any]]) -> None:
        """Those that stand."""
        if questions == self._shown:
            return
        self._shown = questions
        self._card.classes(remove="hidden") if questions else self._card.classes(add="hidden")
        self._holder.clear()
        told: set[str] = set()
        with self._holder:
            for question in questions:
                # What is asked for the same reason has it once.
                reason = question["text"].replace(question["name"], "")
                self._ask(question, with_reason=reason not in told)
                told.add(reason)

    def _ask(self, question: dict[str, Any], *, with_reason: bool) -> None:
        page, name = self._page, question["name"]
        with bare("div", "question"):
            text(name, tag="h3")
            if with_reason:
                text(page.words(question["text"]), "muted small", tag="p")
            costs = question["costs_hours"]
            if costs is not None and costs >= hours.LEAST_H:
                cost = hours.words(page, costs)
                text(page.t("backup.question_costs", hours=cost), "muted small", tag="p")
            if not page.person.may("backup"):
                return
            with bare("div", "buttons"):
                for choice, classes in (("keep_on", "button"), ("keep_off", "button quiet")):
                    one = button(
                        page.t(f"backup.answer_{choice}"),
                        lambda choice=choice: self._answer(question, choice),
                        f"{classes} large",
                    )
                    said = page.t(f"backup.answer_{choice}_said", name=name)
                    one.props["aria-label"] = said

    async def _answer(self, question: dict[str, Any], choice: str) -> None:
        path = f"/v1/backup/circuits/{question['circuit_id']}/choice"
        if await self._page.ask(self._page.api.put(path, {"choice": choice})) is not None:
            name = question["name"]
            self._page.say(self._page.t(f"backup.said_{choice}", name=name))
            self.show([one for one in self._shown if one is not question])


def _is_on(circuit: dict[str, Any]) -> bool:
    return bool(circuit["on"]) if circuit["on"] is not None else not circuit["shed"]


def _show_if(element: ui.element, shown: bool) -> None:
    element.classes(remove="hidden") if shown else element.classes(add="hidden")
