"""`parkwatt up`: the live site, wired."""
