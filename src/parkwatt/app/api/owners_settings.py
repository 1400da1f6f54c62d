"""What of a site's file the owner alone may change.

An installer sets up what is in the house, not who comes in or where secrets go. The owner's are the
doors and what goes out by them (pages, API, broker, Home Assistant, messages), where data lie, and every key that names a file:
a file that is named is read, and a token's or password's is sent to whom its table names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from parkwatt.app.access.roles import SCOPES, Caller, ForbiddenError

_TABLES: Final = frozenset({"api", "web", "store", "mqtt", "home_assistant", "notify"})
# A calendar's address is a secret, too.
_FILES: Final = frozenset({"file", "trips", "tls_certificate", "tls_key", "client_authority"})
# They are sent to the address that stands beside them.
_SENT: Final = frozenset({"token_file", "password_file"})


def check_reach(caller: Caller, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises ForbiddenError where ``caller`` is no owner and ``after`` changes what is the owner's. Both: the file's tables."""
    if caller.scopes >= SCOPES and caller.cars is None:
        return
    had, wanted = dict(_owners(before)), dict(_owners(after))
    places = [*had, *(place for place in wanted if place not in had)]
    changed = [
        place
        for place in places
        if place not in had or place not in wanted or had[place] != wanted[place]
    ]
    if changed:
        raise ForbiddenError(f"only an owner may change {', '.join(changed)}")


def _owners(table: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, object]]:
    """Each part of a table that is the owner's, and its path."""
    for name, value in table.items():
        place = f"{at}.{name}" if at else name
        if (not at and name in _TABLES) or name in _FILES or name.endswith("_file"):
            yield place, value
            continue
        several = isinstance(value, list)
        for index, one in enumerate(value if several else [value]):
            if not isinstance(one, Mapping):
                continue
            inner = f"{place}[{index}]" if several else place
            if _SENT & one.keys():
                yield inner, one
            else:
                yield from _owners(one, inner)
