"""The load for `benchmarks/ocpp.py`: chargers that are only sockets, and the servers that they load."""
