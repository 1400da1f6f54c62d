"""A site's chargers: let in, seen, able to do what is wished, and harmless when nobody tells them anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.site.live.settings import CarSettings

# Below this current a charger does not charge (IEC 61851).
_CURRENT_A_MIN: Final = 6.0
_ROUND_KW: Final = 0.01


def checks(settings: LiveSettings, seen: Seen) -> Iterator[Check]:
    """All about chargers, consent and limits."""
    admitted = _admitted(settings)
    for car in settings.site.cars:
        yield _let_in(settings, car, admitted)
        if seen.chargers is not None:
            yield from _charger(car, seen.chargers.get(car.charger_id))
        yield from _consent(settings, car, seen)
    if seen.chargers is None:
        yield Check("skipped", "chargers", "what they do shows while the server runs")
    yield from _limits(settings)


def _admitted(settings: LiveSettings) -> set[str]:
    path = settings.serve.store.credentials
    if not path.exists():
        return set()
    with CredentialStore(path) as store:
        return {known.charger_id for known in store.chargers()}


def _let_in(settings: LiveSettings, car: CarSettings, admitted: set[str]) -> Check:
    subject = f"charger {car.charger_id}"
    if car.charger_id in admitted:
        return Check("ok", subject, "has a credential")
    if settings.serve.ocpp.admit_unknown:
        return Check("ok", subject, "is let in without a credential, from this machine only")
    remedy = f"parkwatt charger add {settings.path} {car.charger_id}"
    return Check("error", subject, "has no credential and cannot connect", remedy)


def _charger(car: CarSettings, view: dict[str, Any] | None) -> Iterator[Check]:
    subject = f"charger {car.charger_id}"
    if view is None:
        remedy = (
            "type address, identity and password into it; the server's log says who was refused"
        )
        yield Check("error", subject, "was never seen", remedy)
        return
    what = f"{view['vendor']} {view['model']}, {view['protocol'] or 'no version yet'}".strip()
    if not view["connected"]:
        reason = view["disconnect_reason"] or "no reason told"
        yield Check(
            "error", subject, f"{what}: no link ({reason})", "look at its network and its log"
        )
        return
    yield Check("ok", subject, f"{what}: connected")
    yield from _grid(subject, view)
    evse = next((one for one in view["evses"] if one["evse_id"] == car.evse_id), None)
    if evse is None:
        known = ", ".join(str(one["evse_id"]) for one in view["evses"]) or "none yet"
        message = f"connection point {car.evse_id} is not known (known: {known})"
        yield Check("warning", subject, message, f"set evse of {car.car_id} to one of these")
        return
    rung = evse["rung"]
    proven = "proven" if rung["proven"] else "not proven yet"
    message = f"rung L{rung['level']} of at most L{rung['highest']}, {proven}: {rung['words']}"
    yield Check("ok", subject, message)


def _grid(subject: str, view: dict[str, Any]) -> Iterator[Check]:
    """What it says of the grid, and how it goes back to it after an outage."""
    for fault in view["grid_faults"]:
        message = f"says that the grid has {fault}; whether it failed is for the gateway to tell"
        yield Check("warning", subject, message, "look at the other devices, and at its log")
    judged = view["enter_service"]
    if judged is None:
        return
    told = f"the return to the grid by {judged['grid_code']}: {judged['reason']}"
    if judged["verdict"] == "held":
        yield Check("ok", subject, told)
    else:
        remedy = (
            "have its installer set the same numbers; if it reads volts, set enter_service = volt"
        )
        yield Check("warning", subject, told, remedy)


def _consent(settings: LiveSettings, car: CarSettings, seen: Seen) -> Iterator[Check]:
    """What the driver wishes against what the hardware does."""
    subject = f"car {car.car_id}"
    if not car.wishes.consents:
        yield Check("ok", subject, f"mode {car.wishes.mode}; it is never discharged")
        return
    if not car.charger_discharges:
        remedy = f"set discharge = true in [[charger]] {car.charger_id}, or false in the car"
        message = "may be discharged, but its charger is not set up to"
        yield Check("error", subject, message, remedy)
        return
    if car.storage.discharge_kw_max <= 0:
        remedy = "set discharge_kw_max, or discharge = false"
        yield Check("error", subject, "may be discharged, but with 0 kW", remedy)
        return
    interconnection = settings.site.interconnection
    if car.wishes.mode == "grid" and interconnection != "export":
        remedy = "set interconnection once your grid operator agreed, or mode = home"
        message = f"mode grid, but the connection is {interconnection}: nothing is fed in"
        yield Check("warning", subject, message, remedy)
    elif interconnection == "backup_only":
        message = "is discharged in an outage only: the connection is backup_only"
        yield Check("ok", subject, message)
    else:
        yield Check("ok", subject, f"mode {car.wishes.mode}; discharging is agreed")
    yield from _rung(car, seen)


def _rung(car: CarSettings, seen: Seen) -> Iterator[Check]:
    view = None if seen.chargers is None else seen.chargers.get(car.charger_id)
    evses = [] if view is None else view["evses"]
    evse = next((one for one in evses if one["evse_id"] == car.evse_id), None)
    if evse is not None and evse["rung"]["highest"] == 0 and evse["transaction_id"] is not None:
        message = "its charger follows limits alone and cannot discharge"
        remedy = evse["rung"]["reason"] or "use a bidirectional charger, or discharge = false"
        yield Check("warning", f"car {car.car_id}", message, remedy)


def _limits(settings: LiveSettings) -> Iterator[Check]:
    connection = settings.connection
    defaults_kw = {
        charger_id: charger.default_limit_kw
        for charger_id, charger in settings.serve.chargers.items()
    }
    together_kw = sum(defaults_kw.values()) + connection.household_kw_max
    limit_kw = connection.import_limit_kw
    if limit_kw is None:
        remedy = "set fuse_a or import_limit_kw in [connection]: no limit is held until then"
        yield Check("warning", "limits", "the connection's limit is not known", remedy)
        return
    if together_kw > limit_kw + _ROUND_KW:
        told = f"{together_kw:.1f} kW with the house's {connection.household_kw_max:g} kW"
        message = f"chargers that nobody tells anything may draw {told}, beyond {limit_kw:.1f} kW"
        yield Check("error", "limits", message, "lower default_kw of the chargers, or leave it out")
    else:
        message = f"{limit_kw:.1f} kW, kept also when nobody tells the chargers anything"
        yield Check("ok", "limits", message)
    for charger_id, default_kw in defaults_kw.items():
        charger = settings.serve.charger(charger_id)
        least_kw = charger.power_kw_min
        if least_kw is None:
            least_kw = _CURRENT_A_MIN * charger.voltage_v * charger.phase_count / 1000.0
        if default_kw < least_kw - _ROUND_KW:
            message = (
                f"falls back to {default_kw:g} kW when nobody tells it anything, "
                f"but needs {least_kw:.2f} kW to charge: then the car is not charged"
            )
            remedy = "lower household_kw_max if the house draws less, or set default_kw"
            yield Check("warning", f"charger {charger_id}", message, remedy)
        else:
            message = f"charges with at most {default_kw:g} kW when nobody tells it anything"
            yield Check("ok", f"charger {charger_id}", message)
