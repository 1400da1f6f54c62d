"""Devices and entities for Home Assistant, told on an MQTT broker as its device discovery expects them, and obeyed from there.

What they are and what they say is decided elsewhere (`parkwatt.app.up.home_assistant`). Here are the payloads, what a command
may be, and the connection: birth, last will, and what is taken away again.
"""

from parkwatt.io.mqtt.home_assistant.command import CommandError
from parkwatt.io.mqtt.home_assistant.entity import Device, Entity, Value
from parkwatt.io.mqtt.home_assistant.link import HomeAssistantLink, Look, Told
from parkwatt.io.mqtt.home_assistant.naming import Naming, slug
from parkwatt.io.mqtt.home_assistant.settings import HomeAssistantSettings, read_home_assistant

__all__ = [
    "CommandError",
    "Device",
    "Entity",
    "HomeAssistantLink",
    "HomeAssistantSettings",
    "Look",
    "Naming",
    "Told",
    "Value",
    "read_home_assistant",
    "slug",
]
