"""`parkwatt backup`: what a home's backup does now, how long it lasts, and what a person decides on it."""
