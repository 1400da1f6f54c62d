"""A year of many drivers: what cars that are plugged in as recorded ones were earn by a programme, cost in wear, and leave."""
