"""Parkwatt plans, commands and accounts for the batteries in parked electric vehicles."""

__version__ = "0.1.0"
