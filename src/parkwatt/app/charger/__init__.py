"""`parkwatt charger` and `parkwatt send`: chargers and commands to them, by hand."""
