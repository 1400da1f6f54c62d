"""A charger as the rest of Parkwatt knows it: what it reported, what it was told, and what it has proved it can do.

No protocol word and no wire unit gets here: power in kW (positive charges), energy in kWh, times in µs since 1970 UTC.
"""
