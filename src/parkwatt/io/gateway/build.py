"""The links to all devices of a backup, as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parkwatt.io.gateway.link import BatteryLink, CircuitsLink, GatewayLink
from parkwatt.io.gateway.modbus_link import (
    ModbusBatteryLink,
    ModbusCircuitsLink,
    ModbusGatewayLink,
)
from parkwatt.io.gateway.modbus_settings import ModbusBattery, ModbusCircuit, ModbusGateway
from parkwatt.io.gateway.mqtt_link import MqttBatteryLink, MqttCircuitsLink, MqttGatewayLink
from parkwatt.io.gateway.mqtt_settings import MqttBattery, MqttCircuit, MqttGateway
from parkwatt.io.gateway.registers import SharedLinks
from parkwatt.io.mqtt.settings import MqttSettings


class DeviceLinks:
    """Makes links. What is behind one Modbus address shares a connection; on the broker each link has one of its own.

    ``broker``: None where nothing speaks MQTT. ``clock``: µs since 1970. Its methods raise ValueError where a device speaks
    MQTT and there is no broker.
    """

    def __init__(self, broker: MqttSettings | None, clock: Callable[[], int]) -> None:
        self._broker, self._clock = broker, clock
        self._shared = SharedLinks()

    def gateway(self, device: MqttGateway | ModbusGateway) -> GatewayLink:
        """The link to the gateway."""
        if isinstance(device, ModbusGateway):
            return ModbusGatewayLink(self._shared, device, clock=self._clock)
        return MqttGatewayLink(self._known_broker(), device, clock=self._clock)

    def circuits(self, devices: Sequence[MqttCircuit | ModbusCircuit]) -> tuple[CircuitsLink, ...]:
        """The links to all circuits, by how they speak."""
        on_modbus = [one for one in devices if isinstance(one, ModbusCircuit)]
        on_mqtt = [one for one in devices if isinstance(one, MqttCircuit)]
        links: list[CircuitsLink] = []
        if on_modbus:
            links.append(ModbusCircuitsLink(self._shared, on_modbus, clock=self._clock))
        if on_mqtt:
            links.append(MqttCircuitsLink(self._known_broker(), on_mqtt, clock=self._clock))
        return tuple(links)

    def battery(self, device: MqttBattery | ModbusBattery) -> BatteryLink:
        """The link to the stationary battery."""
        if isinstance(device, ModbusBattery):
            return ModbusBatteryLink(self._shared, device, clock=self._clock)
        return MqttBatteryLink(self._known_broker(), device, clock=self._clock)

    def _known_broker(self) -> MqttSettings:
        if self._broker is None:
            raise ValueError("something speaks MQTT, and no broker is given")
        return self._broker
