"""A pool that runs: its settings, its members, and the loop between its journal and its chargers."""
