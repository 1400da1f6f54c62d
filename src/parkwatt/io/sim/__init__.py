"""The virtual charger and car: a stranger to the rest of Parkwatt that speaks real OCPP 1.6, 2.0.1 and 2.1.

It tests any OCPP back end, so it shares no code with Parkwatt's own: frames and schemas come from the
`ocpp` package, sockets from `websockets`.
"""
