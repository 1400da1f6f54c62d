"""The office that signs what chargers ask for with SignCertificate (OCPP 2.x Part 2, A02)."""

from __future__ import annotations

from datetime import UTC, datetime

from parkwatt.domain.errors import InputError
from parkwatt.io.credentials.authority import Authority
from parkwatt.io.credentials.store import CredentialStore


class SiteCertificateOffice:
    """Signs requests of known chargers with the site's authority; the certificate office of a session."""

    def __init__(self, authority: Authority, store: CredentialStore) -> None:
        """An office of ``authority`` for the chargers of ``store``."""
        self._authority = authority
        self._store = store

    def sign(self, charger_id: str, request_pem: str) -> str | None:
        """The certificate chain for a request, PEM; None where the request is not the charger's to make."""
        credential = self._store.find(charger_id)
        if credential is None or credential.disabled:
            return None
        try:
            return self._authority.sign_request(request_pem, charger_id, datetime.now(UTC))
        except InputError:
            return None
