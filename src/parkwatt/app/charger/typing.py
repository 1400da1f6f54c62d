"""What a person types into a charger so that it connects."""

from __future__ import annotations

from parkwatt.app.admission import CERTIFICATE_PROFILE, TLS_PROFILE, Admission
from parkwatt.app.serve_settings import ServeSettings


def print_what_to_type(settings: ServeSettings, admission: Admission) -> None:
    """Tell address, identity and password, which is shown this once; write the certificate of profile 3."""
    made, ocpp = admission.made, settings.ocpp
    charger_id, profile = made.credential.charger_id, made.credential.security_profile
    is_encrypted = profile >= TLS_PROFILE
    address = _address(settings, "wss" if is_encrypted else "ws")
    print(f"Charger {charger_id} may connect. Type into the charger:\n")
    print(f"  address            {address}/{charger_id}")
    print(f"    where the charger adds its identity itself: {address}")
    print("  version            OCPP 2.1, 2.0.1 or 1.6 (JSON), whichever it has, in this order")
    print(f"  security profile   {profile}")
    if made.password is not None:
        print(f"  user name          {charger_id}")
        print(f"  password           {made.password}      (shown this once)")
        if made.authorization_key is not None:
            print(f"    where it wants 40 hexadecimal digits (1.6): {made.authorization_key}")
    if is_encrypted and ocpp.tls_certificate is None:
        print(f"  trusted authority  {settings.store.authority / 'authority.pem'}")
    if profile == CERTIFICATE_PROFILE:
        _print_certificate(settings, admission)
    if ocpp.tls and not is_encrypted:
        print(
            "\nThis site's port speaks TLS: profile 1 cannot connect to it. Use --profile 2 or 3."
        )
    if is_encrypted and not ocpp.tls:
        print("\nThis site's port does not speak TLS yet: set tls = true in [ocpp].")


def _address(settings: ServeSettings, scheme: str) -> str:
    ocpp = settings.ocpp
    host = ocpp.names[0] if ocpp.names else ocpp.address.host
    if ocpp.address.is_anywhere and not ocpp.names:
        host = "<this machine's address>"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{ocpp.address.port}"


def _print_certificate(settings: ServeSettings, admission: Admission) -> None:
    charger_id, issued = admission.made.credential.charger_id, admission.certificate
    if issued is None:
        authority = settings.ocpp.client_authority
        print(f"  its certificate    from the authority in {authority}, for the name {charger_id}")
        return
    folder = settings.store.directory / "chargers"
    folder.mkdir(mode=0o700, exist_ok=True)
    certificate, key = folder / f"{charger_id}.pem", folder / f"{charger_id}.key"
    issued.write(certificate, key)
    print(f"  its certificate    {certificate}")
    print(f"  its private key    {key}      (delete it here once the charger has it)")
