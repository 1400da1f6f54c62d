"""A site as it runs: what its drivers wish, what its meters and chargers show, what is planned, decided and counted.

A site is one grid connection with loads, sun, chargers and a tariff; a home and a depot are both one. Power is in kW
(positive =
import, charge), energy in kWh, times in whole seconds or µs since 1970 UTC.
"""
