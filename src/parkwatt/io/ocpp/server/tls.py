"""TLS for chargers: version 1.2 or newer, the suites that OCPP names, client certificates where an authority is given.

Source: OCPP 2.x Part 2 A00.FR.318 and the OCPP 1.6 security whitepaper A00.FR.317: ECDHE-ECDSA and RSA with AES-GCM; ECDHE-RSA
is added for forward secrecy. TLS compression is off (A00.FR.320), renegotiation too.
"""

from __future__ import annotations

import ssl

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.ocpp.server.settings import ListenerSettings

_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)


def server_context(settings: ListenerSettings) -> ssl.SSLContext | None:
    """The context of a listener; None for a plain one.

    A client certificate is asked for but not required: the same listener serves profiles 2 and 3, and the charger's record says
    which it must reach. A certificate that does not chain to the authority ends the TLS handshake.

    Raises:
        InputError: a certificate or key cannot be used.
    """
    if not settings.is_encrypted:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(_SUITES))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    load_certificates(context, settings)
    if settings.client_authority is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        try:
            context.load_verify_locations(cafile=settings.client_authority)
        except (ssl.SSLError, OSError) as error:
            raise _unusable("client_authority", "holds no certificate", error) from error
    return context


def load_certificates(context: ssl.SSLContext, settings: ListenerSettings) -> None:
    """Read the server's certificates, at first or again after a renewal: connections made from now on get them.

    Raises:
        InputError: a certificate or key cannot be used.
    """
    for at, pair in enumerate(settings.tls):
        try:
            context.load_cert_chain(pair.certificate, pair.key)
        except (ssl.SSLError, OSError) as error:
            rule = "must be a PEM certificate and the private key that belongs to it"
            raise _unusable(f"tls[{at}]", rule, error) from error


def _unusable(field: str, rule: str, error: Exception) -> InputError:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unreadable"
    return InputError([InputFault(field, rule, str(reason))])
