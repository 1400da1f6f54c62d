"""The file of a running site, and beginning again by it in the same process.

A change is checked by the site's own reader before it is written. Should the site not begin with it all the same (a port
that is taken), the file before is put back and the site goes on with that.
"""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from parkwatt.app.api.upkeep import Checked
from parkwatt.app.atomic_file import replacing
from parkwatt.app.live_settings import load_live_settings
from parkwatt.app.set_up.checking import read_text
from parkwatt.app.up.doctor import examine
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults

# A request that asked for it is answered first, and a page says so.
_ANSWERED_S: Final = 1.0


class SiteFileUpkeep:
    """Implements `parkwatt.app.api.upkeep.Upkeep` for the file at ``path``. ``wants_again``: the site is to begin again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wants_again = False
        self._before: str | None = None
        self._trouble: str | None = None
        self._stop: Callable[[], None] = lambda: None

    @property
    def shown(self) -> str:
        """Where the file lies."""
        return str(self.path)

    @property
    def trouble(self) -> str | None:
        """Why the last change was taken back."""
        return self._trouble

    def read(self) -> str:
        """The file as it is."""
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError([InputFault(str(self.path), f"cannot be read: {error}")]) from error

    def check(self, text: str) -> None:
        """Whether a site could begin with ``text``; its data must stay where they are."""
        faults = Faults()
        settings = read_text(text, self.path.parent, faults, f"{self.path.stem}-data")
        faults.raise_if_any()
        if settings is None:
            raise InputError([InputFault("text", "must be TOML")])
        now = load_live_settings(self.path).serve.store.directory
        if settings.serve.store.directory != now:
            rule = (
                "must stay while the site runs: stop it, move the folder, change the file, start it"
            )
            raise InputError([InputFault("store.directory", rule)])

    def write(self, text: str) -> None:
        """Put ``text`` in the file's place; who may read the file stays as it was."""
        before, mode = self.read(), stat.S_IMODE(self.path.stat().st_mode)
        with replacing(self.path) as stream:
            stream.write(text)
        with contextlib.suppress(OSError):
            self.path.chmod(mode)
        self._before = before

    def examine(self) -> list[Checked]:
        """What the doctor finds."""
        found = examine(load_live_settings(self.path))
        return [Checked(one.level, one.subject, one.message, one.remedy) for one in found]

    def begin_again(self) -> None:
        """Let the site begin again, once the request is answered."""
        self.wants_again = True
        asyncio.get_running_loop().call_later(_ANSWERED_S, self._stop)

    # What the program around the site uses.

    def runs(self, stop: Callable[[], None]) -> None:
        """The site begins; ``stop`` ends it."""
        self.wants_again = False
        self._stop = stop

    def began(self) -> None:
        """The site runs with the file as it is."""
        if self._before is not None:
            self._before, self._trouble = None, None

    def ends(self) -> None:
        """Somebody wants it to end."""
        self.wants_again = False

    def put_back(self, error: Exception) -> bool:
        """The site could not begin: whether there was a file before, which is in its place again."""
        if self._before is None:
            return False
        text, self._before = self._before, None
        self._trouble = str(error)
        structlog.get_logger().error("settings taken back", reason=self._trouble)
        with replacing(self.path) as stream:
            stream.write(text)
        return True
