"""The settings' devices get links by what they speak."""

from __future__ import annotations

import pytest

from parkwatt.io.gateway.build import DeviceLinks
from parkwatt.io.gateway.modbus_link import (
    ModbusBatteryLink,
    ModbusCircuitsLink,
    ModbusGatewayLink,
)
from parkwatt.io.gateway.modbus_settings import (
    ModbusBattery,
    ModbusCircuit,
    ModbusDevice,
    PointPlace,
)
from parkwatt.io.gateway.mqtt_link import MqttBatteryLink, MqttCircuitsLink, MqttGatewayLink
from parkwatt.io.gateway.mqtt_settings import MqttBattery
from parkwatt.io.gateway.points import CircuitPoints, Quantity
from parkwatt.io.mqtt.settings import MqttSettings, Place
from tests.io.gateway.devices import clock, modbus_gateway, mqtt_circuit, mqtt_gateway

AT = ModbusDevice("127.0.0.1")
BROKER = MqttSettings(host="127.0.0.1")
ON_MODBUS = ModbusCircuit(device=AT, points=CircuitPoints(circuit_id="dryer"))
ON_MQTT = mqtt_circuit("fridge", {"base_topic": "home/circuit/fridge"})


def test_each_device_gets_its_link() -> None:
    links = DeviceLinks(BROKER, clock)
    assert isinstance(links.gateway(mqtt_gateway({"base_topic": "a"})), MqttGatewayLink)
    assert isinstance(links.gateway(modbus_gateway({"host": "a"})), ModbusGatewayLink)
    on_modbus, on_mqtt = links.circuits((ON_MQTT, ON_MODBUS))
    assert isinstance(on_modbus, ModbusCircuitsLink)
    assert isinstance(on_mqtt, MqttCircuitsLink)
    assert on_modbus.circuit_ids == {"dryer"}
    assert on_mqtt.circuit_ids == {"fridge"}
    battery = ModbusBattery(device=AT, soc=Quantity(PointPlace(713, "SoC")))
    assert isinstance(links.battery(battery), ModbusBatteryLink)
    assert isinstance(links.battery(MqttBattery(Quantity(Place("soc")))), MqttBatteryLink)


def test_without_circuits_there_is_no_link() -> None:
    assert DeviceLinks(None, clock).circuits(()) == ()


def test_mqtt_needs_a_broker() -> None:
    links = DeviceLinks(None, clock)
    with pytest.raises(ValueError, match="no broker is given"):
        links.gateway(mqtt_gateway({"base_topic": "a"}))
    with pytest.raises(ValueError, match="no broker is given"):
        links.circuits((ON_MQTT,))
