"""Meters and states of charge on an MQTT broker, by the conventions of Home Assistant."""
