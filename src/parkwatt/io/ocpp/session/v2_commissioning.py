"""What a charger of 2.0.1 or 2.1 is asked after its boot: what it can do, what it knows, and what it is to report.

The variables that decide how it is driven are asked for a few at a time, since a charger may refuse long lists; a list that
is refused is halved, and one that refuses the question altogether is asked for a report in its place. What stands at each
connection point is asked for when the point becomes known: stations tell theirs after the boot. A charger that is back without
a boot is asked only what is not known of it: thousands may come back at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from parkwatt.domain.charger.event import TransactionReported, Variable, VariablesReported
from parkwatt.domain.charger.state import variable_keys
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.secrets import MASK, without_secrets
from parkwatt.io.ocpp.session.inbound import AnswerReader, Inbound
from parkwatt.io.ocpp.session.v2_reporting import MODES, next_call, settings_calls, wishes
from parkwatt.io.ocpp.session.v2_variables import from_request, from_results, state_name
from parkwatt.io.ocpp.version import Version

# How many variables are asked for at once before the charger told its own limit, and at most.
_ITEMS_FIRST, _ITEMS_MAX = 4, 20
_NO_SUCH_MESSAGE = frozenset({"NotImplemented", "NotSupported"})
_REPORTS = ("FullInventory", "SummaryInventory", "ConfigurationInventory")
_REASON = "what the charger is and can do"
_REQUEST_ID_MODULUS = 2**31


class Asked(NamedTuple):
    """A variable to ask for."""

    component: str
    variable: str
    instance: str = ""


_STATION = (
    Asked("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"),
    Asked("SmartChargingCtrlr", "Available"),
    Asked("SmartChargingCtrlr", "Enabled"),
    Asked("SmartChargingCtrlr", "RateUnit"),
    Asked("SmartChargingCtrlr", "ProfileStackLevel"),
    Asked("SmartChargingCtrlr", "PeriodsPerSchedule"),
    Asked("SmartChargingCtrlr", "ExternalControlSignalsEnabled"),
    Asked("SmartChargingCtrlr", "NotifyChargingLimitWithSchedules"),
    Asked("SmartChargingCtrlr", "LimitChangeSignificance"),
    Asked("SampledDataCtrlr", "TxUpdatedMeasurands"),
    Asked("SampledDataCtrlr", "TxUpdatedInterval"),
    Asked("SampledDataCtrlr", "TxStartedMeasurands"),
    Asked("SampledDataCtrlr", "TxEndedMeasurands"),
    Asked("AlignedDataCtrlr", "Measurands"),
    Asked("AlignedDataCtrlr", "Interval"),
    Asked("ISO15118Ctrlr", "Enabled"),
)
_STATION_21 = (
    Asked("SmartChargingCtrlr", "SupportsDynamicProfiles"),
    Asked("SmartChargingCtrlr", "SupportsMaxOfflineDuration"),
    Asked("SmartChargingCtrlr", "SupportedAdditionalPurposes"),
    Asked("SmartChargingCtrlr", "SupportsLimitAtSoC"),
    Asked("SmartChargingCtrlr", "SupportsEvseSleep"),
)
_EVSE = (Asked("EVSE", "SupplyPhases"),)
_EVSE_21 = (
    Asked("V2XChargingCtrlr", "Available"),
    Asked("V2XChargingCtrlr", "Enabled"),
    Asked("V2XChargingCtrlr", "SupportedOperationModes"),
    Asked("V2XChargingCtrlr", "SupportedEnergyTransferModes"),
    Asked("ISO15118Ctrlr", "Enabled"),
    Asked("ISO15118Ctrlr", "ServiceRenegotiationSupport"),
    Asked("DCDERCtrlr", "Available"),
    Asked("ACDERCtrlr", "Available"),
)


def commissioning_calls(inbound: Inbound) -> list[Call]:
    """What to ask a charger whose boot was answered, or that needed none; without a boot it is asked to tell who it is."""
    state = inbound.state
    calls: list[Call] = []
    if state.boot is None:
        reason = "who the charger is: it was connected before it could say"
        payload = {"requestedMessage": "BootNotification"}
        calls.append(Call("TriggerMessage", payload, "commissioning", reason, key="trigger boot"))
        calls.append(_report(inbound, "SummaryInventory"))
    calls += [
        _transaction_status(transaction_id)
        for transaction_id, transaction in state.transactions.items()
        if transaction.open
    ]
    came_back = _came_back(inbound)
    asked = _STATION + _STATION_21 if inbound.version is Version.V21 else _STATION
    if not came_back or not _knows(inbound, asked[-1], 0) or not _reports_as_wished(inbound):
        calls += _questions(inbound, [_item(one, 0) for one in asked])
    for evse_id in sorted(state.evses):
        if evse_id > 0 and not (came_back and knows_evse(inbound, evse_id)):
            calls += evse_calls(inbound, evse_id)
    return calls


def _came_back(inbound: Inbound) -> bool:
    """Whether the charger has a link again without a boot."""
    boot_unix_us, connected_unix_us = inbound.state.boot_unix_us, inbound.state.connected_unix_us
    if boot_unix_us is None or connected_unix_us is None:
        return False
    return boot_unix_us < connected_unix_us


def _reports_as_wished(inbound: Inbound) -> bool:
    """Whether the interval of meter values is as the settings want it now; they may have changed since the boot."""
    component, name = "SampledDataCtrlr", "TxUpdatedInterval"
    standing = inbound.state.variable(component, name)
    return standing is None or standing in wishes(inbound)[component, name].values


def evse_calls(inbound: Inbound, evse_id: int) -> list[Call]:
    """What to ask of one connection point."""
    asked = _EVSE + _EVSE_21 if inbound.version is Version.V21 else _EVSE
    return _questions(inbound, [_item(one, evse_id) for one in asked])


def knows_evse(inbound: Inbound, evse_id: int) -> bool:
    """Whether the charger was asked about a connection point and said something."""
    return _knows(inbound, _EVSE_21[-1] if inbound.version is Version.V21 else _EVSE[-1], evse_id)


def _knows(inbound: Inbound, asked: Asked, evse_id: int) -> bool:
    key = variable_keys(asked.component, asked.variable, evse_id)[0]
    return key in inbound.state.variables or key in inbound.state.unknown_variables


def take_variables(
    inbound: Inbound, variables: Sequence[Variable], unknown: Sequence[str] = ()
) -> None:
    """Note what a charger told of itself, and ask for what follows from it."""
    if variables or unknown:
        inbound.emit(VariablesReported(tuple(variables), tuple(unknown)))
    for call in settings_calls(inbound, variables):
        inbound.call(call)


def _questions(inbound: Inbound, items: Sequence[dict[str, Any]]) -> list[Call]:
    told = inbound.state.variable("DeviceDataCtrlr", "ItemsPerMessage[GetVariables]") or ""
    count = max(1, min(int(told), _ITEMS_MAX)) if told.isdecimal() else _ITEMS_FIRST
    return [_question(items[first : first + count]) for first in range(0, len(items), count)]


def _question(items: Sequence[dict[str, Any]]) -> Call:
    key = "get " + " ".join(state_name(from_request(item)) for item in items)
    payload = {"getVariableData": list(items)}
    return Call("GetVariables", payload, "commissioning", _REASON, key=key)


def _item(asked: Asked, evse_id: int) -> dict[str, Any]:
    component: dict[str, Any] = {"name": asked.component}
    if evse_id:
        component["evse"] = {"id": evse_id}
    variable = {"name": asked.variable}
    if asked.instance:
        variable["instance"] = asked.instance
    return {"component": component, "variable": variable}


def _report(inbound: Inbound, base: str) -> Call:
    request_id = inbound.now_unix_us // 1_000_000 % _REQUEST_ID_MODULUS
    payload = {"requestId": request_id, "reportBase": base}
    return Call("GetBaseReport", payload, "commissioning", _REASON, key="report")


def _transaction_status(transaction_id: str) -> Call:
    reason = "whether the transaction goes on, or its end was lost"
    payload = {"transactionId": transaction_id}
    key = f"status {transaction_id}"
    return Call("GetTransactionStatus", payload, "commissioning", reason, key=key)


def variables_answered(inbound: Inbound, _call: Call, message: Any) -> None:
    """GetVariables: values, and what the charger does not have."""
    variables, unknown = from_results(message.getVariableResult)
    take_variables(inbound, variables, unknown)
    for found in variables:
        _ask_by_mode(inbound, found)


def _ask_by_mode(inbound: Inbound, found: Variable) -> None:
    """Ask what a connection point reports in each mode that it has, and that cars are driven in."""
    if (found.component, found.name) != ("V2XChargingCtrlr", "SupportedOperationModes"):
        return
    told = {mode.strip() for mode in found.value.split(",")}
    asked = [
        _item(Asked("V2XChargingCtrlr", name, mode), found.evse_id)
        for mode in MODES
        if mode in told
        for name in ("TxUpdatedMeasurands", "TxUpdatedInterval")
    ]
    for call in _questions(inbound, asked):
        inbound.call(call)


def variables_refused(inbound: Inbound, call: Call, code: str) -> None:
    """GetVariables was answered with an error: ask for less at a time, or for a report where there is no such message."""
    if call.purpose != "commissioning":
        return
    items = call.payload["getVariableData"]
    if code not in _NO_SUCH_MESSAGE and len(items) > 1:
        half = len(items) // 2
        for part in (items[:half], items[half:]):
            inbound.call(_question(part))
        return
    unknown = [state_name(from_request(item)) for item in items]
    take_variables(inbound, (), unknown)
    if code in _NO_SUCH_MESSAGE:
        inbound.call(_report(inbound, _REPORTS[0]))


def settings_answered(inbound: Inbound, call: Call, message: Any) -> None:
    """SetVariables: what was accepted holds from now on, passwords unwritten; for what was refused the next best is tried."""
    held = []
    asked = without_secrets(call.payload)["setVariableData"]
    for data, result in zip(asked, message.setVariableResult, strict=False):
        if result.attributeStatus == "Accepted":
            if data["attributeValue"] != MASK:
                held.append(from_request(data))
        elif result.attributeStatus != "RebootRequired":
            settings_refused(inbound, call, result.attributeStatus)
    if held:
        inbound.emit(VariablesReported(tuple(held)))


def settings_refused(inbound: Inbound, call: Call, _code: str) -> None:
    """A setting was refused: try the next best, if it was ours to choose."""
    if call.purpose == "commissioning" and call.tag:
        following = next_call(inbound, call)
        if following is not None:
            inbound.call(following)


def report_answered(inbound: Inbound, call: Call, message: Any) -> None:
    """GetBaseReport: where one kind of report is not to be had, ask for the next."""
    if message.status not in {"Rejected", "NotSupported"} or call.purpose != "commissioning":
        return
    place = _REPORTS.index(call.payload["reportBase"]) + 1
    if place < len(_REPORTS):
        inbound.call(_report(inbound, _REPORTS[place]))


def transaction_status_answered(inbound: Inbound, call: Call, message: Any) -> None:
    """GetTransactionStatus: a transaction that ended, with nothing of it left to come, has ended here too (E14)."""
    transaction = inbound.state.transactions.get(call.payload.get("transactionId", ""))
    if transaction is None or not transaction.open:
        return
    if message.ongoingIndicator is not False or message.messagesInQueue is not False:
        return
    inbound.emit(
        TransactionReported(
            transaction.transaction_id,
            "ended",
            transaction.evse_id,
            trigger="GetTransactionStatus",
            measured_unix_us=transaction.newest_unix_us or None,
            late=True,
            reason="the charger no longer knows of it",
        )
    )


ANSWERS: dict[str, AnswerReader] = {
    "GetVariables": variables_answered,
    "SetVariables": settings_answered,
    "GetBaseReport": report_answered,
    "GetTransactionStatus": transaction_status_answered,
}
FAILURES: dict[str, Callable[[Inbound, Call, str], None]] = {
    "GetVariables": variables_refused,
    "SetVariables": settings_refused,
}
