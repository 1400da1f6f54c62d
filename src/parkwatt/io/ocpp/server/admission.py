"""Who may connect: decisions on what a handshake shows, without a socket.

Security profiles (OCPP 2.x Part 2 A00): 1 password without TLS, 2 TLS and password, 3 TLS with the charger's own
certificate. The charger's record names the least it must reach. A stranger and a wrong password get the same answer (401), so
nobody learns which chargers exist; Part 4 §3.3 would have 404 for a stranger ("SHOULD").
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass

from parkwatt.io.credentials.store import Credential
from parkwatt.io.ocpp.server.identity import BasicLogin


@dataclass(frozen=True, slots=True)
class Proof:
    """What a charger shows of itself.

    ``certificate_names``: of its verified certificate; None where it has shown none.
    ``password_matches``: whether the login's password is the record's.
    """

    is_encrypted: bool
    is_loopback: bool
    certificate_names: frozenset[str] | None
    login: BasicLogin | None
    password_matches: bool


@dataclass(frozen=True, slots=True)
class Admitted:
    """It may come in. ``security_profile``: the one it reached; 0 for one without a credential on this machine."""

    security_profile: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not: HTTP status, a sentence for the charger's log, the reason for ours, and when to come back."""

    status: int
    sentence: str
    reason: str
    retry_after_s: int | None = None


def admit(
    charger_id: str, credential: Credential | None, proof: Proof, *, admit_unknown: bool
) -> Admitted | Refused:
    """Whether a charger of that identity, with that record, may connect on what it shows."""
    if credential is None:
        if (
            admit_unknown
            and proof.is_loopback
            and proof.login is None
            and proof.certificate_names is None
        ):
            return Admitted(0)
        return _unauthorized("no such charger")
    if credential.disabled:
        return _unauthorized("disabled")
    if proof.certificate_names is not None:
        if charger_id not in proof.certificate_names:
            return _unauthorized("its certificate names another")
        return Admitted(3)
    if proof.login is None:
        return _unauthorized("no password")
    if not hmac.compare_digest(proof.login.user, charger_id.encode()):
        return _unauthorized("the user name is not the charger's identity")
    if not proof.password_matches:
        return _unauthorized("wrong password")
    reached = 2 if proof.is_encrypted else 1
    if reached < credential.security_profile:
        reason = f"reached security profile {reached}, must reach {credential.security_profile}"
        return Refused(403, "This charger must use a higher security profile.", reason)
    return Admitted(reached)


def too_fast(status: int, wait_s: float, reason: str) -> Refused:
    """A refusal because of a rate, with the whole seconds after which to try again."""
    return Refused(
        status, "Too many connections. Try again later.", reason, max(1, math.ceil(wait_s))
    )


def already_connected() -> Refused:
    """The refusal of a second connection while the first has just proved that it lives."""
    return Refused(
        409,
        "This charger is connected already.",
        "a second connection while the first is alive",
        10,
    )


def _unauthorized(reason: str) -> Refused:
    return Refused(401, "Unknown charger or wrong password.", reason)
