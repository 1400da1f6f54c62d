"""One household's backup, pure: the island machine, load shedding, how long it lasts, and driving against the house."""
