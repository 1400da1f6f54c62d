"""The web page: a process of its own beside the site's control, and a client of its API.

```
parkwatt up ── control, journal, API ◄── one reader of /v1/stream, and what people ask ── web process ◄── browsers
```

The control loop never waits for a page: whatever fifty open phones cost, they cost this process. Pages hold no rule and no
role: what somebody may do is decided where it is done, in the API, by the session that their browser's cookie names.
"""
