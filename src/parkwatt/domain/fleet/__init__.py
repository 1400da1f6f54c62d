"""Nouns of a pool: what is asked of it, and what its journal holds."""
