"""From nothing to a site's file: what a person answers in five steps, the file it makes, and the plan they would get.

```
draft (five tables, as the browser sends it) ── checked ── site_toml ── the site's own reader ── faults at the field asked
                                                    └── preview: one night through the planner, with money
```
"""
