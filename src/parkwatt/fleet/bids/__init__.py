"""What to sell of a pool, and at what confidence."""
