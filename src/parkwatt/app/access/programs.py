"""API tokens: what programs call with. A token is shown once, when it is made."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import replace
from typing import Final

import structlog

from parkwatt.app.access.names import checked_name
from parkwatt.app.access.records import Records, UnknownError, digest_of
from parkwatt.app.access.roles import Caller, Scope
from parkwatt.app.access.store import ApiToken
from parkwatt.domain.record import Faults

_PREFIX: Final = "pw_"
_SECRET_BYTES: Final = 32
_TOKENS_MAX: Final = 200


class Programs:
    """The API tokens of a site."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def tokens(self) -> list[ApiToken]:
        """All, in the order in which they were made."""
        return sorted(self._records.tokens.values(), key=lambda one: one.token_id)

    def caller(self, digest: bytes) -> Caller | None:
        """The program behind a token; None: there is none."""
        token = self._records.tokens.get(digest)
        if token is None:
            return None
        self._records.tokens[digest] = replace(token, used_unix_s=self._records.now_unix_s())
        return Caller(
            kind="token",
            name=token.label,
            role="token",
            scopes=token.scopes,
            cars=token.cars,
            key=digest,
        )

    async def add(
        self, by: Caller, label: str, scopes: Collection[Scope], cars: frozenset[str] | None
    ) -> tuple[str, ApiToken]:
        """A new token: it itself, shown this once, and what is kept of it. ``cars``: None: all.

        Raises InputError, ForbiddenError where ``by`` would hand out more than they have.
        """
        faults = Faults()
        label = checked_name("label", label, faults)
        if not scopes:
            faults.add("scopes", "must name at least one scope")
        if len(self._records.tokens) >= _TOKENS_MAX:
            faults.add("label", f"is one too many: there are {_TOKENS_MAX} tokens")
        faults.raise_if_any()
        by.check_grants(scopes, cars)
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        token = ApiToken(
            token_id=0,
            digest=digest_of(secret),
            label=label,
            scopes=frozenset(scopes),
            cars=cars,
            created_unix_s=self._records.now_unix_s(),
        )
        async with self._records.turn:
            number = await asyncio.to_thread(self._records.store.add_token, token)
            token = replace(token, token_id=number)
            self._records.tokens[token.digest] = token
        structlog.get_logger().info("API token made", label=label, by=by.name)
        return secret, token

    async def remove(self, by: Caller, token_id: int) -> ApiToken:
        """Take a token away, at once. Raises UnknownError, ForbiddenError."""
        async with self._records.turn:
            token = next((one for one in self.tokens() if one.token_id == token_id), None)
            if token is None:
                raise UnknownError(f"there is no API token {token_id}")
            by.check_grants(token.scopes, token.cars)
            await asyncio.to_thread(self._records.store.remove_token, token_id)
            del self._records.tokens[token.digest]
        structlog.get_logger().info("API token taken away", label=token.label, by=by.name)
        return token
