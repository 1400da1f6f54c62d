"""Adapters between the outside and the domain: files, price series, weather. Knows the domain only."""
