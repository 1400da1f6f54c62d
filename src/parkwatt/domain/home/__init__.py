"""One household's backup: its gateway, its circuits, and what happens to them."""
