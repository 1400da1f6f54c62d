"""All pages: what each shows, and how one gets to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from parkwatt.app.web.page import Page
from parkwatt.app.web.pages import backup, car, home, journal, money, plan, settings, users

Content = Callable[[Page], Awaitable[None]]

# By the page's name, which is its path (home is /) and the name of its words.
PAGES: Final[dict[str, Content]] = {
    "home": home.content,
    "plan": plan.content,
    "car": car.content,
    "backup": backup.content,
    "money": money.content,
    "settings": settings.content,
    "users": users.content,
    "journal": journal.content,
}
# On every page: below on a phone, at the left on a desk.
WAYS: Final = [
    ("home", "/"),
    ("plan", "/plan"),
    ("car", "/car"),
    ("backup", "/backup"),
    ("money", "/money"),
]
# In the menu.
MENU: Final = [("journal", "/journal"), ("settings", "/settings"), ("users", "/users")]
