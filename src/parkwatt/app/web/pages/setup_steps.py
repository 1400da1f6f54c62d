"""The five questions of the set-up: what each screen asks. They know no rule: what is wrong the API tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.setup_fields import Fields
from parkwatt.app.web.parts import bare, button, text

Draft = dict[str, dict[str, Any]]
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DIRECTIONS: Final = (
    (90.0, "east"),
    (135.0, "south_east"),
    (180.0, "south"),
    (225.0, "south_west"),
    (270.0, "west"),
)
_LOOKS_EVERY_S: Final = 2.0
_READ_FILE: Final = "async (e) => { const f = e.target.files[0]; if (f) emit(f.size > 800000 ? '' : await f.text()) }"


class Step:
    """One screen. ``rebuild``: show it anew, because an answer changes what is asked."""

    def __init__(
        self, page: Page, draft: Draft, known: dict[str, Any], rebuild: Callable[[], None]
    ) -> None:
        self.page = page
        self.draft = draft
        self.known = known
        self._rebuild = rebuild

    def t(self, key: str, **values: object) -> str:
        """A text of the set-up."""
        return self.page.t(f"setup.{key}", **values)

    def build(self, name: str) -> Fields:
        """The fields of the step ``name``."""
        seen = self._seen(name)

        def changed() -> None:
            nonlocal seen
            if self._seen(name) != seen:
                seen = self._seen(name)
                self._rebuild()

        fields = Fields(name, self.draft[name], changed)
        {
            "place": self._place,
            "car": self._car,
            "charger": self._charger,
            "home": self._home,
            "wishes": self._wishes,
        }[name](fields)
        return fields

    def _seen(self, name: str) -> tuple[Any, ...]:
        """The answers on which depends what else is asked."""
        asked = {
            "place": ("tariff", "zone"),
            "car": ("id",),
            "charger": ("kind", "gives_back"),
            "home": ("heat_pump", "persons"),
            "wishes": (),
        }[name]
        return tuple(self.draft[name][one] for one in asked)

    def _place(self, fields: Fields) -> None:
        place = fields.answers
        options = [
            (one, self.t(f"tariff_{one}"))
            for one in ("fixed", "day_night", "exchange", "awattar", "octopus")
        ]
        fields.choice("tariff", self.t("tariff"), options, big=True)
        unit = f"{place['currency']}/kWh"
        if place["tariff"] in ("exchange", "awattar"):
            zones = self.known["zones"]
            if place["tariff"] == "awattar":
                zones = [zone for zone in zones if zone["id"] in ("AT", "DE-LU")]
            place["zone"] = (
                place["zone"] if place["zone"] in {one["id"] for one in zones} else zones[0]["id"]
            )
            place["time_zone"] = next(z["time_zone"] for z in zones if z["id"] == place["zone"])
            place["currency"] = "EUR"
            named = [(zone["id"], self.t(f"zone_{zone['id']}")) for zone in zones]
            fields.select("zone", self.t("zone"), sorted(named, key=lambda one: one[1]))
            with bare("div", "pair"):
                fields.number(
                    "adders_per_kwh", self.t("adders"), unit=unit, hint=self.t("adders_hint")
                )
                fields.number("tax", self.t("tax"), unit="%", scale=100)
        elif place["tariff"] == "octopus":
            place["time_zone"], place["currency"] = "Europe/London", "GBP"
            fields.words("tariff_code", self.t("tariff_code"), hint="E-1R-AGILE-24-10-01-C")
        else:
            with bare("div", "pair"):
                label = "price_day" if place["tariff"] == "day_night" else "price"
                fields.number("price_per_kwh", self.t(label), unit=unit)
                if place["tariff"] == "day_night":
                    fields.number("night_price_per_kwh", self.t("price_night"), unit=unit)
            if place["tariff"] == "day_night":
                with bare("div", "pair"):
                    fields.words("night_from", self.t("night_from"), kind="time")
                    fields.words("night_to", self.t("night_to"), kind="time")
            zones = sorted(
                {zone["time_zone"] for zone in self.known["zones"]}
                | {"Europe/London", place["time_zone"]}
            )
            fields.select(
                "time_zone", self.t("time_zone"), [(zone, zone.replace("_", " ")) for zone in zones]
            )
        with bare("details", "more"):
            text(self.t("more"), tag="summary")
            with bare("div", "stack"), bare("div", "pair"):
                fields.number(
                    "export_price_per_kwh", self.t("export_price"), unit=f"{place['currency']}/kWh"
                )
                fields.number("fuse_a", self.t("fuse"), unit="A")
            fields.choice("phase_count", self.t("phases"), [(3, "3"), (1, "1")])

    def _car(self, fields: Fields) -> None:
        cars = self.known["cars"]
        options = [(car["id"], car["name"]) for car in cars]
        fields.select("id", self.t("car"), [*options, ("", self.t("car_other"))])
        chosen = next((car for car in cars if car["id"] == fields.answers["id"]), None)
        if chosen is None:
            fields.words("name", self.t("car_name"))
            with bare("div", "pair"):
                fields.number("battery_kwh", self.t("battery"), unit="kWh")
                fields.number("ac_kw", self.t("ac"), unit="kW")
            with bare("div", "pair"):
                fields.number("kwh_per_100_km", self.t("consumption"), unit="kWh/100 km")
                fields.choice("ac_phases", self.t("phases"), [(1, "1"), (2, "2"), (3, "3")])
            fields.switch("gives_back", self.t("car_gives_back"), self.t("car_gives_back_hint"))
            return
        number = self.page.numbers.number
        facts = [
            (self.t("battery"), f"{number(chosen['battery_kwh'])} kWh"),
            (self.t("ac"), f"{number(chosen['ac_kw'])} kW"),
        ]
        if chosen["dc_kw"] is not None:
            facts.append((self.t("dc"), f"{number(chosen['dc_kw'], 0)} kW"))
        if chosen["kwh_per_100_km"] is not None:
            facts.append((self.t("consumption"), f"{number(chosen['kwh_per_100_km'])} kWh/100 km"))
        facts.append((self.t("both_ways"), self.t(f"v2x_{chosen['v2x'] or 'none'}")))
        with bare("dl", "facts"):
            for name, value in facts:
                with bare("div", "line"):
                    text(name, "muted", tag="dt")
                    text(value, "strong", tag="dd")
        with bare("details", "more"):
            text(self.t("sources"), tag="summary")
            for source in chosen["sources"]:
                text(source, "muted small", tag="p")

    def _charger(self, fields: Fields) -> None:
        options = [(one, self.t(f"charger_{one}")) for one in ("virtual", "real")]
        fields.choice("kind", self.t("charger"), options, big=True)
        if fields.answers["kind"] == "real":
            _RealCharger(self, fields)
        with bare("div", "pair"):
            fields.number("power_kw", self.t("charger_power"), unit="kW")
            fields.choice("phases", self.t("phases"), [(3, "3"), (1, "1")])
        fields.switch("gives_back", self.t("charger_gives_back"), self.t("charger_gives_back_hint"))

    def _home(self, fields: Fields) -> None:
        persons = [(count, str(count) if count < 5 else "5+") for count in range(1, 6)]
        fields.choice("persons", self.t("persons"), persons)
        usual = self.known["usual_kwh_by_persons"][min(fields.answers["persons"], 5) - 1]
        hint = self.t("kwh_hint", kwh=self.page.numbers.number(usual, 0))
        if not fields.answers["kwh_per_year"]:
            fields.answers["kwh_per_year"] = None
        fields.number("kwh_per_year", self.t("kwh"), unit="kWh", hint=hint)
        self._load_file(fields)
        fields.switch("heat_pump", self.t("heat_pump"))
        if fields.answers["heat_pump"]:
            fields.number("heat_pump_kwh_per_year", self.t("heat_pump_kwh"), unit="kWh")
        fields.number("solar_kw_peak", self.t("solar"), unit="kWp", hint=self.t("solar_hint"))
        options = [(degrees, self.t(name)) for degrees, name in _DIRECTIONS]
        with bare("details", "more"):
            text(self.t("panels"), tag="summary")
            with bare("div", "stack"):
                fields.choice("roof_azimuth_deg", self.t("direction"), options)
                fields.number("roof_tilt_deg", self.t("tilt"), unit="°")

    def _load_file(self, fields: Fields) -> None:
        async def read(event: Any) -> None:
            if not event.args:
                said.set_text(self.t("file_large"))
                return
            try:
                found = await self.page.api.post("/v1/setup/load-file", {"text": event.args})
            except ApiError as error:
                said.set_text(
                    self.page.words("; ".join(rule for _, rule, _ in error.faults))
                    or error.sentence
                )
                return
            fields.answers["kwh_per_year"] = found["kwh_per_year"]
            kwh = self.page.numbers.number(found["kwh_per_year"], 0)
            self.page.say(self.t("file_read", kwh=kwh, column=found["column"]))
            self._rebuild()

        with bare("details", "more"):
            text(self.t("file"), tag="summary")
            with bare("label", "field"):
                text(self.t("file_hint"), "muted small", tag="span")
                bare("input").props('type=file accept=".csv,text/csv"').on(
                    "change", read, js_handler=_READ_FILE
                )
            said = text("", "fault", tag="p").props("role=status")

    def _wishes(self, fields: Fields) -> None:
        fields.share("floor_soc", self.t("floor"), lambda percent: f"{percent} %")
        fields.share("target_soc", self.t("target"), lambda percent: f"{percent} %")
        with bare("div", "pair"):
            fields.words("ready_at", self.t("ready_at"), kind="time")
        fields.days("days", self.t("days"), [(day, self.t(day)) for day in _DAYS])
        if self._both_ways():
            fields.switch("runs_house", self.t("runs_house"), self.t("runs_house_hint"))
        else:
            fields.answers["runs_house"] = False

    def _both_ways(self) -> bool:
        car = self.draft["car"]
        chosen = next((one for one in self.known["cars"] if one["id"] == car["id"]), None)
        car_can = car["gives_back"] if chosen is None else chosen["v2x"] is not None
        return bool(car_can and self.draft["charger"]["gives_back"])


class _RealCharger:
    """Who knocked, and what to type into the charger."""

    def __init__(self, step: Step, fields: Fields) -> None:
        self._step, self._fields = step, fields
        self._tried = bare("div", "stack").props("aria-live=polite")
        fields.words("id", step.t("charger_id"), hint=step.t("charger_id_hint"))
        fields.switch("encrypted", step.t("charger_encrypted"), step.t("charger_encrypted_hint"))
        self._typed = bare("div", "stack")
        with bare("div", "buttons"):
            button(step.t("charger_password"), self._invite, "button quiet")
        self._state = text("", "muted", tag="p").props("role=status")
        self._shown: Any = None
        self._invited: str | None = None
        ui.timer(_LOOKS_EVERY_S, self._look)

    async def _look(self) -> None:
        try:
            at = await self._step.page.api.get("/v1/setup")
        except ApiError:
            return
        t = self._step.t
        if at["charger_trouble"]:
            self._state.set_text(t("charger_deaf", why=at["charger_trouble"]))
        elif at["charger_connected"] and at["charger_connected"] == self._invited:
            self._state.set_text(t("charger_in", charger=at["charger_connected"]))
        elif self._invited is not None:
            self._state.set_text(t("charger_waiting"))
        found = [(one["charger_id"], one["peer"]) for one in at["chargers_tried"]]
        if found == self._shown:
            return
        self._shown = found
        self._tried.clear()
        with self._tried:
            text(
                t("charger_knocked" if found else "charger_none", url=at["charger_url"]),
                "muted",
                tag="p",
            )
            with bare("div", "chips"):
                for charger_id, peer in found:
                    button(
                        f"{charger_id} ({peer.rpartition(':')[0]})",
                        lambda one=charger_id: self._take(one),
                        "chip",
                    )

    def _take(self, charger_id: str) -> None:
        self._fields.answers["id"] = charger_id
        self._step._rebuild()  # noqa: SLF001 one part of the same screen

    async def _invite(self) -> None:
        page, t = self._step.page, self._step.t
        told = await page.ask(page.api.post("/v1/setup/charger", {"charger": self._fields.answers}))
        if told is None:
            return
        self._invited = told["charger_id"]
        self._typed.clear()
        with self._typed, bare("dl", "facts raised"):
            for name, value in (
                (t("charger_url"), told["url"]),
                (t("charger_id"), told["charger_id"]),
                (t("charger_secret"), told["password"] or "–"),
            ):
                with bare("div", "line"):
                    text(name, "muted", tag="dt")
                    text(value, "strong typed", tag="dd")
        self._state.set_text(t("charger_waiting"))
