"""The single gate that each command passes: it can refuse or reduce, and charges what a departure needs."""
