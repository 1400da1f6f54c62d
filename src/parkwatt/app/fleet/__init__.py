"""`parkwatt fleet`: plans for many cars at once, and fleets to try it with."""
