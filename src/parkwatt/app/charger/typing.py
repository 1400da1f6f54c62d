"""What a person types into a charger so that it connects."""

from __future__ import annotations

from datetime import datetime

from parkwatt.app.serve_settings import ServeSettings
from parkwatt.io.credentials.authority import Issued
from parkwatt.io.credentials.site import site_authority
from parkwatt.io.credentials.store import NewCredential

_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 compared with, not bound to
_CERTIFICATE_PROFILE = 3
_TLS_PROFILE = 2


def print_what_to_type(settings: ServeSettings, made: NewCredential, now: datetime) -> None:
    """Tell the address, the identity and the password, which is shown this once; for profile 3 write the certificate."""
    charger_id = made.credential.charger_id
    profile = made.credential.security_profile
    scheme = "wss" if profile >= _TLS_PROFILE else "ws"
    ocpp = settings.ocpp
    host = ocpp.names[0] if ocpp.names else ocpp.address.host
    if host in _ANYWHERE:
        host = "<this machine's address>"
    address = f"{scheme}://[{host}]" if ":" in host else f"{scheme}://{host}"
    print(f"Charger {charger_id} may connect. Type into the charger:\n")
    print(f"  address            {address}:{ocpp.address.port}/{charger_id}")
    print(f"    where the charger adds its identity itself: {address}:{ocpp.address.port}")
    print("  version            OCPP 2.1, 2.0.1 or 1.6 (JSON), whichever it has, in this order")
    print(f"  security profile   {profile}")
    if made.password is not None:
        print(f"  user name          {charger_id}")
        print(f"  password           {made.password}      (shown this once)")
        if made.authorization_key is not None:
            print(f"    where it wants 40 hexadecimal digits (1.6): {made.authorization_key}")
    if profile >= _TLS_PROFILE and ocpp.tls_certificate is None:
        print(f"  trusted authority  {settings.store.authority / 'authority.pem'}")
    if profile == _CERTIFICATE_PROFILE:
        issued = _issue(settings, charger_id, now)
        folder = settings.store.directory / "chargers"
        folder.mkdir(mode=0o700, exist_ok=True)
        certificate, key = folder / f"{charger_id}.pem", folder / f"{charger_id}.key"
        issued.write(certificate, key)
        print(f"  its certificate    {certificate}")
        print(f"  its private key    {key}      (delete it here once the charger has it)")
    if scheme == "ws" and ocpp.tls:
        print(
            "\nThis site's port speaks TLS: profile 1 cannot connect to it. Use --profile 2 or 3."
        )
    if scheme == "wss" and not ocpp.tls:
        print("\nThis site's port does not speak TLS yet: set tls = true in [ocpp].")


def _issue(settings: ServeSettings, charger_id: str, now: datetime) -> Issued:
    authority = site_authority(settings.store.authority, settings.name, now)
    return authority.issue_client_certificate(charger_id, now)
