"""Files of a fleet: the stays of many cars, the prices that they see, and their plan (docs/reference/fleet-files.md)."""
