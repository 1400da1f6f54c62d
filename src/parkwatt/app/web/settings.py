"""What the web process is told when it is started: one line of JSON on its standard input."""

from __future__ import annotations

import msgspec


class WebStart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``api_url``: of the site's API, ``token``: what reads its stream. ``host``, ``port``: where to listen, 0: a free port.

    ``set_up``: the site has no file yet, and its set-up is the one page. ``log_format``: console or json.
    """

    api_url: str
    token: str
    host: str
    port: int
    set_up: bool = False
    log_format: str = "console"


class WebReady(msgspec.Struct, frozen=True):
    """What the web process says on its standard output once browsers can come."""

    port: int
