"""Meters and inverters on Modbus TCP: SunSpec devices, which describe themselves, and plain registers."""
