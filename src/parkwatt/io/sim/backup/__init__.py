"""A virtual home with backup: grid, gateway, island source, circuits and sun, and what physically happened there.

The physics know nothing of sockets: they step from event to event, at most a second at a time. `mqtt_device` and
`modbus_device` tell of them and take commands as a gateway does; `control` does what a person or a test may do to them.
"""
