"""The hours ahead of a site: from what is known at a moment to the plan problem. The study and the live site share it.

All times are whole seconds since 1970 UTC, so that a plan may begin at any second.
"""
