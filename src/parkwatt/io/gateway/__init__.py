"""A home's transfer switch, circuits and battery: told and commanded over MQTT and Modbus TCP."""
