"""The device model's variables, from the forms in which 2.0.1 and 2.1 carry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from parkwatt.domain.charger.event import Variable
from parkwatt.domain.charger.state import variable_keys

_NOT_KNOWN = frozenset({"UnknownComponent", "UnknownVariable"})


def state_name(variable: Variable) -> str:
    """What a charger's state calls the variable."""
    component, name = variable.component, variable.name
    if variable.component_instance:
        component = f"{component}[{variable.component_instance}]"
    if variable.instance:
        name = f"{name}[{variable.instance}]"
    return variable_keys(component, name, variable.evse_id)[0]


def from_message(
    component: Any, variable: Any, value: str, *, attribute: str = "", read_only: bool = False
) -> Variable:
    """A variable from a message's component and variable."""
    evse = component.evse
    return Variable(
        variable.name,
        value,
        component.name,
        component.instance or "",
        variable.instance or "",
        0 if evse is None else evse.id,
        0 if evse is None else evse.connectorId or 0,
        attribute or "Actual",
        read_only,
    )


def from_request(data: Mapping[str, Any]) -> Variable:
    """A variable from an entry of a request of ours; without a value where it only asks for one."""
    component, variable = data["component"], data["variable"]
    evse = component.get("evse", {})
    return Variable(
        variable["name"],
        data.get("attributeValue", ""),
        component["name"],
        component.get("instance", ""),
        variable.get("instance", ""),
        evse.get("id", 0),
        evse.get("connectorId", 0),
        data.get("attributeType", "Actual"),
    )


def from_results(results: Iterable[Any]) -> tuple[list[Variable], list[str]]:
    """The values in an answer to GetVariables, and the names of what the charger does not have."""
    variables, unknown = [], []
    for result in results:
        found = from_message(
            result.component,
            result.variable,
            result.attributeValue or "",
            attribute=result.attributeType,
        )
        if result.attributeStatus in _NOT_KNOWN:
            unknown.append(state_name(found))
        elif result.attributeStatus == "Accepted" and result.attributeValue is not None:
            variables.append(found)
    return variables, unknown


def from_report(data: Iterable[Any]) -> list[Variable]:
    """The variables in a report's data; those without a value (passwords are only written) are left out."""
    return [
        from_message(
            entry.component,
            entry.variable,
            attribute.value,
            attribute=attribute.type,
            read_only=attribute.mutability == "ReadOnly",
        )
        for entry in data
        for attribute in entry.variableAttribute
        if attribute.value is not None
    ]
