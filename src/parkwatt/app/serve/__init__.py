"""`parkwatt serve`: the back end that chargers connect to."""
