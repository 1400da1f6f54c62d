"""The device model of OCPP 2.x: components and variables that the virtual charger announces, and what may be set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parkwatt.io.sim.der import BODIES
from parkwatt.io.sim.profile_check import ALL_MODES
from parkwatt.io.sim.settings import StationSettings

MEASURANDS = (
    *("Energy.Active.Import.Register", "Energy.Active.Export.Register", "Power.Active.Import"),
    *("Power.Active.Export", "Current.Import", "Current.Export", "Voltage", "Frequency", "SoC"),
)
DEFAULT_MEASURANDS = ",".join(m for m in MEASURANDS if not m.startswith(("Current", "Frequency")))
REGISTERS = "Energy.Active.Import.Register,Energy.Active.Export.Register,SoC"


@dataclass(slots=True)
class Variable:
    """One variable of a component; ``evse_id`` and ``connector_id`` are None for the station's own."""

    component: str
    name: str
    value: str
    data_type: str
    is_writable: bool = False
    evse_id: int | None = None
    connector_id: int | None = None
    instance: str | None = None
    unit: str | None = None
    values: str | None = None
    number_min: float | None = None
    number_max: float | None = None

    def names(self) -> dict[str, Any]:
        """`component` and `variable` as the wire has them."""
        component: dict[str, Any] = {"name": self.component}
        if self.evse_id is not None:
            component["evse"] = {"id": self.evse_id}
            if self.connector_id is not None:
                component["evse"]["connectorId"] = self.connector_id
        variable = {"name": self.name}
        if self.instance is not None:
            variable["instance"] = self.instance
        return {"component": component, "variable": variable}

    def report(self) -> dict[str, Any]:
        """One element of a NotifyReport."""
        characteristics: dict[str, Any] = {"dataType": self.data_type, "supportsMonitoring": False}
        bounds = {
            "unit": self.unit,
            "valuesList": self.values,
            "minLimit": self.number_min,
            "maxLimit": self.number_max,
        }
        characteristics |= {name: value for name, value in bounds.items() if value is not None}
        attribute = {
            "value": self.value,
            "mutability": "ReadWrite" if self.is_writable else "ReadOnly",
            "persistent": True,
            "constant": False,
        }
        return {
            **self.names(),
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }

    def refuses(self, value: str) -> bool:
        """Whether a value does not fit."""
        if self.data_type in ("integer", "decimal"):
            try:
                number = int(value) if self.data_type == "integer" else float(value)
            except ValueError:
                return True
            too_low = self.number_min is not None and number < self.number_min
            return too_low or (self.number_max is not None and number > self.number_max)
        if self.data_type == "boolean":
            return value.lower() not in ("true", "false")
        if self.values is not None:
            parts = [value] if self.data_type == "OptionList" else value.split(",")
            return any(part.strip() not in self.values.split(",") for part in parts if part)
        return False


class DeviceModel:
    """The variables of one station, by what names them on the wire (names are case-insensitive)."""

    def __init__(self, variables: list[Variable]) -> None:
        self.variables = variables

    def find(self, names: Mapping[str, Any]) -> Variable | str:
        """The variable that a request names, or the status that says what is unknown."""
        component = names["component"]
        candidates = [v for v in self.variables if v.component.lower() == component["name"].lower()]
        evse = component.get("evse") or {}
        candidates = [v for v in candidates if evse.get("id") in (v.evse_id, None)]
        if not candidates:
            return "UnknownComponent"
        wanted = names.get("variable") or {}
        for variable in candidates:
            same_name = variable.name.lower() == str(wanted.get("name", "")).lower()
            if same_name and wanted.get("instance") in (variable.instance, None):
                return variable
        return "UnknownVariable"

    def value(self, component: str, name: str) -> str:
        """The value of a variable that is there."""
        return next(v.value for v in self.variables if (v.component, v.name) == (component, name))

    def select(self, criteria: list[dict[str, Any]] | None) -> Iterator[Variable]:
        """The variables that a GetReport asks for."""
        for variable in self.variables:
            if not criteria or any(_fits(variable, names) for names in criteria):
                yield variable


def _fits(variable: Variable, names: Mapping[str, Any]) -> bool:
    component, wanted = names["component"], names.get("variable")
    evse = component.get("evse") or {}
    return (
        variable.component.lower() == component["name"].lower()
        and evse.get("id") in (variable.evse_id, None)
        and (wanted is None or wanted["name"].lower() == variable.name.lower())
    )


def transfer_modes(settings: StationSettings) -> list[str]:
    """The energy transfers that station and car can do, the plain one first."""
    plain = (
        "DC"
        if settings.is_dc
        else ("AC_three_phase" if settings.phases == 3 else "AC_single_phase")
    )
    able = settings.v2x and settings.discharge_kw_max > 0 and settings.car.discharge_kw_max > 0
    return [plain, "DC_BPT" if settings.is_dc else "AC_BPT"] if able else [plain]


def build_model(settings: StationSettings) -> DeviceModel:
    """The device model that a station with these settings announces."""
    variables = [*_station_variables(settings), *_metering_variables(settings)]
    variables += _charging_variables(settings)
    if settings.protocol == "2.1":
        variables += _v2x_variables(settings)
    return DeviceModel(variables)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _station_variables(settings: StationSettings) -> list[Variable]:
    return [
        Variable("ChargingStation", "Model", settings.model, "string"),
        Variable("ChargingStation", "VendorName", settings.vendor, "string"),
        Variable("ChargingStation", "Available", "true", "boolean"),
        Variable("ChargingStation", "SupplyPhases", str(settings.phases), "integer"),
        Variable("EVSE", "Available", "true", "boolean", evse_id=1),
        Variable(
            "EVSE", "Power", str(settings.power_kw_max * 1000), "decimal", evse_id=1, unit="W"
        ),
        Variable("EVSE", "SupplyPhases", str(settings.phases), "integer", evse_id=1),
        Variable("Connector", "Available", "true", "boolean", evse_id=1, connector_id=1),
        Variable(
            "Connector",
            "ConnectorType",
            "cCCS2" if settings.is_dc else "sType2",
            "string",
            evse_id=1,
            connector_id=1,
        ),
        Variable(
            "OCPPCommCtrlr", "HeartbeatInterval", "300", "integer", True, unit="s", number_min=1
        ),
        Variable(
            "OCPPCommCtrlr",
            "MessageTimeout",
            f"{settings.call_timeout_s:g}",
            "integer",
            instance="Default",
            unit="s",
        ),
        Variable(
            "OCPPCommCtrlr",
            "MessageAttempts",
            str(settings.retry_attempts),
            "integer",
            True,
            instance="TransactionEvent",
            number_min=1,
        ),
        Variable(
            "OCPPCommCtrlr",
            "MessageAttemptInterval",
            f"{settings.retry_interval_s:.0f}",
            "integer",
            True,
            instance="TransactionEvent",
            number_min=0,
        ),
        Variable("AuthCtrlr", "Enabled", "true", "boolean"),
        Variable("AuthCtrlr", "LocalAuthorizeOffline", "true", "boolean"),
        Variable("LocalAuthListCtrlr", "Available", "true", "boolean"),
        Variable("LocalAuthListCtrlr", "Enabled", "true", "boolean", is_writable=True),
        Variable(
            "SecurityCtrlr", "OrganizationName", "Parkwatt virtual", "string", is_writable=True
        ),
        Variable("SecurityCtrlr", "BasicAuthPassword", "", "string", is_writable=True),
        Variable("SecurityCtrlr", "Identity", settings.id, "string"),
        Variable("DeviceDataCtrlr", "ItemsPerMessage", "50", "integer", instance="GetReport"),
        Variable("TxCtrlr", "TxStartPoint", "Authorized", "MemberList", values="Authorized"),
        Variable("TxCtrlr", "TxStopPoint", "EVConnected", "MemberList", values="EVConnected"),
        Variable("TxCtrlr", "StopTxOnInvalidId", "true", "boolean", is_writable=True),
        Variable("ClockCtrlr", "DateTime", "", "dateTime"),
        Variable("ClockCtrlr", "TimeSource", "Heartbeat", "SequenceList", values="Heartbeat"),
    ]


def _metering_variables(settings: StationSettings) -> list[Variable]:
    listed = ",".join(MEASURANDS)

    def measurands(name: str, value: str) -> Variable:
        return Variable("SampledDataCtrlr", name, value, "MemberList", True, values=listed)

    interval = str(settings.meter_interval_s)
    return [
        Variable("SampledDataCtrlr", "Available", "true", "boolean"),
        Variable("SampledDataCtrlr", "Enabled", "true", "boolean", is_writable=True),
        Variable(
            "SampledDataCtrlr",
            "TxUpdatedInterval",
            interval,
            "integer",
            True,
            unit="s",
            number_min=0,
        ),
        measurands("TxStartedMeasurands", REGISTERS),
        measurands("TxUpdatedMeasurands", DEFAULT_MEASURANDS),
        measurands("TxEndedMeasurands", REGISTERS),
        Variable("AlignedDataCtrlr", "Available", "true", "boolean"),
        Variable("AlignedDataCtrlr", "Interval", "0", "integer", True, unit="s", number_min=0),
        Variable(
            "AlignedDataCtrlr", "Measurands", DEFAULT_MEASURANDS, "MemberList", True, values=listed
        ),
    ]


def _charging_variables(settings: StationSettings) -> list[Variable]:
    name = "SmartChargingCtrlr"
    variables = [
        Variable(name, "Available", "true", "boolean"),
        Variable(name, "Enabled", "true", "boolean", is_writable=True),
        Variable(name, "ProfileStackLevel", str(settings.stack_level_max), "integer"),
        Variable(name, "RateUnit", "W,A", "MemberList", values="W,A"),
        Variable(name, "PeriodsPerSchedule", "1024", "integer"),
        Variable(name, "Entries", "0", "integer", instance="ChargingProfiles", number_max=100),
    ]
    if settings.protocol == "2.1":
        variables += [
            Variable(name, "SupportsDynamicProfiles", _flag(settings.dynamic_profiles), "boolean"),
            Variable(name, "SupportsLimitAtSoC", "true", "boolean"),
            Variable(name, "SupportsEvseSleep", "true", "boolean"),
            Variable(name, "SupportsMaxOfflineDuration", "true", "boolean"),
            Variable(
                name,
                "SupportedAdditionalPurposes",
                "PriorityCharging,LocalGeneration",
                "MemberList",
            ),
            Variable(
                name, "LimitChangeSignificance", "1", "decimal", True, number_min=0, number_max=100
            ),
        ]
    return variables


def _v2x_variables(settings: StationSettings) -> list[Variable]:
    modes = transfer_modes(settings)
    able = len(modes) > 1
    offered = [m for m in ALL_MODES if settings.v2x or m in ("Idle", "ChargingOnly")]
    variables = [
        Variable("V2XChargingCtrlr", "Available", _flag(able), "boolean", evse_id=1),
        Variable("V2XChargingCtrlr", "Enabled", _flag(able), "boolean", evse_id=1),
        Variable(
            "V2XChargingCtrlr",
            "SupportedOperationModes",
            ",".join(offered),
            "MemberList",
            evse_id=1,
            values=",".join(ALL_MODES),
        ),
        Variable(
            "V2XChargingCtrlr",
            "SupportedEnergyTransferModes",
            ",".join(modes),
            "MemberList",
            evse_id=1,
        ),
        Variable("ISO15118Ctrlr", "Enabled", _flag(able), "boolean", evse_id=1),
        Variable("ISO15118Ctrlr", "ServiceRenegotiationSupport", _flag(able), "boolean", evse_id=1),
        Variable(
            "EVSE",
            "DischargePower",
            str(settings.discharge_kw_max * 1000),
            "decimal",
            evse_id=1,
            unit="W",
        ),
        Variable("ConnectedEV", "Available", "true", "boolean", evse_id=1),
    ]
    if settings.der and able:
        component = "DCDERCtrlr" if settings.is_dc else "ACDERCtrlr"
        variables += [
            Variable(component, "Available", "true", "boolean", evse_id=1),
            Variable(component, "Enabled", "true", "boolean", evse_id=1),
            Variable(component, "ModesSupported", ",".join(BODIES), "MemberList", evse_id=1),
        ]
    return variables
