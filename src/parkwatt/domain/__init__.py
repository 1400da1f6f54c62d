"""The nouns, pure: intervals, batteries, vehicles, stays, tariffs, sites and their errors."""
