"""A target of the pool becomes set-points of its cars, and the pool's meter closes the loop. Pure, in arrays."""
