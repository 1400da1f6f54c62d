"""One grid connection, pure: what it does in each step and what a strategy earns there."""
