"""The door itself on a clock of the test: when sessions, links and tokens end, and what the file keeps."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from parkwatt.app.access.access import Access, SignInRefusedError
from parkwatt.app.access.people import UserChange
from parkwatt.app.access.records import IDLE_S, LONGEST_S
from parkwatt.app.access.roles import SCOPES, Caller
from parkwatt.domain.errors import InputError

FILE_TOKEN = "the-token-of-the-file-0123456789"  # noqa: S105 of a site that lives as long as a test
DAY_S = 86_400
GUEST = UserChange(role="guest")
PASSWORD = "correct horse battery"  # noqa: S105


class Door:
    """An `Access` whose clock the test moves."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.sqlite"
        self.now_s = 1_800_000_000.0
        self.access = self.open()

    def open(self) -> Access:
        """Open the file."""
        return Access(self.path, FILE_TOKEN, lambda: self.now_s)

    def reopen(self) -> None:
        """As after a crash: nothing is written down at the end."""
        self.access.close()
        self.access = self.open()

    @property
    def file(self) -> Caller:
        """Whoever has the file's token."""
        caller = self.access.caller(FILE_TOKEN)
        assert caller is not None
        return caller

    async def session(self, name: str) -> str:
        """A new session of a user."""
        code, _ = await self.access.people.link(self.file, name, 3600)
        token, _ = await self.access.sign_in_by_link(code)
        return token


def at_the_door(folder: Path, test: Callable[[Door], Awaitable[None]]) -> None:
    """Run a test."""

    async def run() -> None:
        door = Door(folder)
        try:
            await test(door)
        finally:
            door.access.close()

    asyncio.run(run())


def test_a_session_ends_when_nobody_uses_it(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        await door.access.people.add(door.file, "Anna", GUEST)
        used, left = await door.session("Anna"), await door.session("Anna")
        for _ in range(4):
            door.now_s += IDLE_S / 2
            assert (door.access.caller(used) is not None) is True
        assert door.access.caller(left) is None
        await door.access.note()
        door.reopen()
        assert door.access.caller(used) is not None
        assert door.access.caller(left) is None
        assert len(door.access.people.sessions(door.access.people.user("Anna"))) == 1

    at_the_door(tmp_path, test)


def test_a_session_ends_however_much_it_is_used(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        await door.access.people.add(door.file, "Anna", GUEST)
        token = await door.session("Anna")
        caller = door.access.caller(token)
        assert caller is not None
        assert caller.expires_unix_s == door.now_s + LONGEST_S
        for _ in range(LONGEST_S // DAY_S - 1):
            door.now_s += DAY_S
            assert door.access.caller(token) is not None
        door.now_s += DAY_S
        assert door.access.caller(token) is None

    at_the_door(tmp_path, test)


def test_a_link_ends_by_its_time_and_by_its_use(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        await door.access.people.add(door.file, "Anna", GUEST)
        late, _ = await door.access.people.link(door.file, "Anna", 3600)
        door.now_s += 3600
        with pytest.raises(SignInRefusedError):
            await door.access.sign_in_by_link(late)
        used, _ = await door.access.people.link(door.file, "Anna", 3600)
        await door.access.sign_in_by_link(used)
        door.reopen()
        for code in (late, used, "", "\ud800"):
            with pytest.raises(SignInRefusedError):
                await door.access.sign_in_by_link(code)

    at_the_door(tmp_path, test)


def test_the_first_owners_link_is_there_until_there_is_a_user(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        first = door.access.owner_link()
        assert first is not None
        assert door.access.owner_link() == first
        door.now_s += 2 * DAY_S
        second = door.access.owner_link()
        assert second not in (None, first)
        with pytest.raises(SignInRefusedError):
            await door.access.sign_in_by_link(first)
        with pytest.raises(InputError):
            await door.access.sign_in_by_link(str(second), "no/name")
        _, owner = await door.access.sign_in_by_link(str(second), "Anna")
        assert (owner.name, owner.role, owner.cars, owner.scopes) == ("Anna", "owner", None, SCOPES)
        assert door.access.owner_link() is None
        with pytest.raises(SignInRefusedError):
            await door.access.sign_in_by_link(str(second))
        door.reopen()
        assert door.access.owner_link() is None
        assert door.access.people.first_owner().name == "Anna"

    at_the_door(tmp_path, test)


def test_a_password_may_be_taken_away(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        people = door.access.people
        await people.add(door.file, "Anna", UserChange(role="guest", password=PASSWORD))
        token, _ = await door.access.sign_in_by_password("anna", PASSWORD)
        await people.change(door.file, "ANNA", UserChange(forget_password=True))
        assert door.access.caller(token) is None
        with pytest.raises(SignInRefusedError):
            await door.access.sign_in_by_password("anna", PASSWORD)

    at_the_door(tmp_path, test)


def test_a_name_can_be_changed_but_not_to_anothers(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        people = door.access.people
        await people.add(door.file, "Anna", GUEST)
        await people.add(door.file, "Ben", GUEST)
        token = await door.session("Ben")
        for taken in ("Anna", "anna", "\uff21nna"):
            with pytest.raises(InputError):
                await people.add(door.file, taken, GUEST)
            with pytest.raises(InputError):
                await people.change(door.file, "Ben", UserChange(name=taken))
        await people.change(door.file, "Ben", UserChange(name="BEN", role="driver"))
        caller = door.access.caller(token)
        assert caller is not None
        assert (caller.name, caller.role, caller.cars) == ("BEN", "driver", frozenset())

    at_the_door(tmp_path, test)


def test_the_oldest_of_too_many_sessions_goes(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        await door.access.people.add(door.file, "Anna", GUEST)
        tokens = []
        for _ in range(32):
            door.now_s += 60
            tokens.append(await door.session("Anna"))
        held = [door.access.caller(token) is not None for token in tokens]
        assert held == 2 * [False] + 30 * [True]

    at_the_door(tmp_path, test)


def test_what_ran_out_leaves_the_file(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        await door.access.people.add(door.file, "Anna", GUEST)
        await door.session("Anna")
        await door.access.people.link(door.file, "Anna", 3600)
        door.now_s += LONGEST_S
        await door.access.note()
        with sqlite3.connect(door.path) as reading:
            counts = [
                reading.execute(f"select count(*) from {table}").fetchone()[0]  # noqa: S608
                for table in ("user", "session", "link")
            ]
        reading.close()
        assert counts == [1, 0, 0]

    at_the_door(tmp_path, test)


def test_a_change_that_cannot_be_written_is_no_change(tmp_path: Path) -> None:
    async def test(door: Door) -> None:
        await door.access.people.add(door.file, "Anna", GUEST)
        token = await door.session("Anna")
        with sqlite3.connect(door.path, isolation_level=None) as locking:
            locking.execute("begin immediate")
            door.access._records.store._database.execute("pragma busy_timeout = 10")
            for change in (
                door.access.people.remove(door.file, "Anna"),
                door.access.people.change(door.file, "Anna", UserChange(role="driver")),
                door.access.people.add(door.file, "Ben", GUEST),
            ):
                with pytest.raises(sqlite3.OperationalError):
                    await change
            locking.execute("rollback")
        locking.close()
        caller = door.access.caller(token)
        assert caller is not None
        assert caller.role == "guest"
        assert door.access.people.find("Ben") is None
        await door.access.people.remove(door.file, "Anna")
        assert door.access.caller(token) is None

    at_the_door(tmp_path, test)


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "access.sqlite").write_text("this is no database, though it is long enough" * 50)
    with pytest.raises(InputError, match="store of users"):
        Access(tmp_path / "access.sqlite", FILE_TOKEN)
