"""Routes about credentials: which chargers may connect.

The files of credentials are written in a thread, by a store of its own; the listener sees the change at its next look-up.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from datetime import UTC, datetime

from fastapi import APIRouter

from parkwatt.app.admission import Admission, admit, readmit, revoke
from parkwatt.app.api.callers import needs
from parkwatt.app.api.chargers import Limit, SiteGiven
from parkwatt.app.api.views import (
    CredentialView,
    MadeCredentialView,
    NewCredential,
    NewPassword,
    credential_view,
    moment,
)

router = APIRouter(prefix="/v1", tags=["credentials"])
_OPERATOR = [needs("operate")]


@router.get("/credentials")
async def list_credentials(
    site: SiteGiven, after: str = "", limit: Limit = 100
) -> list[CredentialView]:
    """The chargers that may connect, by id: those after the id ``after``, at most ``limit``."""
    credentials = site.credentials.chargers()
    first = bisect_right(credentials, after, key=lambda known: known.charger_id)
    return [credential_view(known) for known in credentials[first : first + limit]]


@router.post("/credentials", status_code=201, dependencies=_OPERATOR)
async def add_credential(site: SiteGiven, wish: NewCredential) -> MadeCredentialView:
    """Let a charger connect from now on. Its secrets are shown this once."""
    admission = await asyncio.to_thread(
        admit,
        site.settings,
        wish.charger_id,
        wish.security_profile,
        wish.password,
        datetime.now(UTC),
    )
    return _made(admission)


@router.put("/credentials/{charger_id}/secret", dependencies=_OPERATOR)
async def change_secret(site: SiteGiven, charger_id: str, wish: NewPassword) -> MadeCredentialView:
    """Another password, or with profile 3 another certificate. The old password is refused, and a live link ends."""
    admission = await asyncio.to_thread(
        readmit, site.settings, charger_id, wish.password, datetime.now(UTC)
    )
    return _made(admission)


@router.delete("/credentials/{charger_id}", dependencies=_OPERATOR)
async def remove_credential(site: SiteGiven, charger_id: str) -> CredentialView:
    """A charger may no longer connect, and a live link ends; the journal keeps what it reported."""
    return credential_view(await asyncio.to_thread(revoke, site.settings, charger_id))


def _made(admission: Admission) -> MadeCredentialView:
    made, issued = admission.made, admission.certificate
    return MadeCredentialView(
        charger_id=made.credential.charger_id,
        security_profile=made.credential.security_profile,
        created_at=moment(made.credential.created_unix_us),
        password=made.password,
        authorization_key=made.authorization_key,
        certificate=None if issued is None else issued.certificate_pem,
        private_key=None if issued is None else issued.key_pem,
    )
