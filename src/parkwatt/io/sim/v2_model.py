"""How a virtual station of 2.x answers requests about its device model, monitors and event streams."""

from __future__ import annotations

from parkwatt.io.sim.conversation import Handler
from parkwatt.io.sim.device_model import Variable
from parkwatt.io.sim.frames import Payload
from parkwatt.io.sim.station_v2 import StationV2

WRITE_ONLY = "BasicAuthPassword"


def get_variables(station: StationV2, request: Payload) -> Payload:
    """GetVariables."""
    return {"getVariableResult": [_get(station, asked) for asked in request["getVariableData"]]}


def _get(station: StationV2, asked: Payload) -> Payload:
    result = {"component": asked["component"], "variable": asked["variable"]}
    if asked.get("attributeType", "Actual") != "Actual":
        return {
            **result,
            "attributeType": asked["attributeType"],
            "attributeStatus": "NotSupportedAttributeType",
        }
    variable = station.model.find(asked)
    if isinstance(variable, str):
        return {**result, "attributeStatus": variable}
    if variable.name == WRITE_ONLY:
        return {
            **result,
            "attributeStatus": "Rejected",
            "attributeStatusInfo": {"reasonCode": "WriteOnly"},
        }
    return {
        **result,
        "attributeType": "Actual",
        "attributeStatus": "Accepted",
        "attributeValue": _value(station, variable),
    }


def _value(station: StationV2, variable: Variable) -> str:
    if variable.name == "DateTime":
        return station.clock()
    if variable.name == "Entries":
        return str(len(station.power.stack.all()))
    if variable.component == "ConnectedEV" and variable.name == "Available":
        return "true" if station.is_plugged else "false"
    return variable.value


def set_variables(station: StationV2, request: Payload) -> Payload:
    """SetVariables; intervals take effect at once."""
    return {"setVariableResult": [_set(station, asked) for asked in request["setVariableData"]]}


def _set(station: StationV2, asked: Payload) -> Payload:
    result = {"component": asked["component"], "variable": asked["variable"]}
    if asked.get("attributeType", "Actual") != "Actual":
        return {
            **result,
            "attributeType": asked["attributeType"],
            "attributeStatus": "NotSupportedAttributeType",
        }
    variable = station.model.find(asked)
    if isinstance(variable, str):
        return {**result, "attributeStatus": variable}
    value = asked["attributeValue"]
    reason = (
        "ReadOnly"
        if not variable.is_writable
        else "InvalidValue"
        if variable.refuses(value)
        else None
    )
    if reason is not None:
        return {
            **result,
            "attributeStatus": "Rejected",
            "attributeStatusInfo": {"reasonCode": reason},
        }
    variable.value = value
    _take_effect(station, variable)
    return {**result, "attributeType": "Actual", "attributeStatus": "Accepted"}


def _take_effect(station: StationV2, variable: Variable) -> None:
    name = f"{variable.component}.{variable.name}"
    if name == "SampledDataCtrlr.TxUpdatedInterval":
        station.meter_interval_s = int(variable.value)
        station.reset_meter_timer()
    elif name == "AlignedDataCtrlr.Interval":
        station.set_aligned_interval(int(variable.value))
    elif name == "OCPPCommCtrlr.HeartbeatInterval":
        station.set_heartbeat(int(variable.value))
    elif name == "OCPPCommCtrlr.MessageAttempts":
        station.outbox.attempts_max = int(variable.value)
    elif name == "OCPPCommCtrlr.MessageAttemptInterval":
        station.outbox.retry_us = int(variable.value) * 1_000_000


def get_base_report(station: StationV2, request: Payload) -> Payload:
    """GetBaseReport; NotifyReport follows."""
    base = request["reportBase"]
    if base == "SummaryInventory":
        return {"status": "NotSupported"}
    variables = station.model.variables
    if base == "ConfigurationInventory":
        variables = [variable for variable in variables if variable.is_writable]
    return _report(station, variables, request["requestId"])


def get_report(station: StationV2, request: Payload) -> Payload:
    """GetReport by components and variables; criteria about problems select nothing that is here."""
    if "Problem" in (request.get("componentCriteria") or []):
        return {"status": "EmptyResultSet"}
    found = list(station.model.select(request.get("componentVariable")))
    if not found:
        return {"status": "EmptyResultSet"}
    return _report(station, found, request["requestId"])


def _report(station: StationV2, variables: list[Variable], request_id: int) -> Payload:
    items = []
    for variable in variables:
        item = variable.report()
        if variable.name == WRITE_ONLY:
            item["variableAttribute"] = [{"mutability": "WriteOnly"}]
        else:
            item["variableAttribute"][0]["value"] = _value(station, variable)
        items.append(item)
    common = {"requestId": request_id, "generatedAt": station.clock()}
    station.send_in_parts("NotifyReport", "reportData", items, common)
    return {"status": "Accepted"}


def set_variable_monitoring(station: StationV2, request: Payload) -> Payload:
    """SetVariableMonitoring."""
    results = [station.monitors.set(station, asked) for asked in request["setMonitoringData"]]
    return {"setMonitoringResult": results}


def clear_variable_monitoring(station: StationV2, request: Payload) -> Payload:
    """ClearVariableMonitoring."""
    results = [
        {"id": one, "status": "Accepted" if station.monitors.clear(station, one) else "NotFound"}
        for one in request["id"]
    ]
    return {"clearMonitoringResult": results}


def adjust_stream(station: StationV2, request: Payload) -> Payload:
    """AdjustPeriodicEventStream."""
    parameters = {k: v for k, v in request["params"].items() if k in ("interval", "values")}
    found = station.monitors.adjust(request["id"], parameters)
    return {"status": "Accepted" if found else "Rejected"}


def get_streams(station: StationV2, request: Payload) -> Payload:  # noqa: ARG001 it asks for all
    """GetPeriodicEventStream."""
    streams = station.monitors.streams()
    return {"constantStreamData": streams} if streams else {}


HANDLERS_V201: dict[str, Handler] = {
    "GetVariables": get_variables,
    "SetVariables": set_variables,
    "GetBaseReport": get_base_report,
    "GetReport": get_report,
    "SetVariableMonitoring": set_variable_monitoring,
    "ClearVariableMonitoring": clear_variable_monitoring,
    "SetMonitoringBase": lambda *_: {"status": "NotSupported"},
    "SetMonitoringLevel": lambda *_: {"status": "Rejected"},
    "GetMonitoringReport": lambda *_: {"status": "NotSupported"},
}
HANDLERS_V21: dict[str, Handler] = {
    "AdjustPeriodicEventStream": adjust_stream,
    "GetPeriodicEventStream": get_streams,
}
