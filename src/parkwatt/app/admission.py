"""Letting a charger in and keeping it out: the one place behind `parkwatt charger` and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parkwatt.app.serve_settings import ServeSettings
from parkwatt.app.site_directory import make_private
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.credentials.authority import Authority, Issued
from parkwatt.io.credentials.site import site_authority
from parkwatt.io.credentials.store import Credential, CredentialStore, NewCredential

PASSWORD_PROFILE, TLS_PROFILE, CERTIFICATE_PROFILE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Admission:
    """What a charger is given. ``certificate``: of profile 3, where the site's own authority issues it."""

    made: NewCredential
    certificate: Issued | None


def admit(
    settings: ServeSettings,
    charger_id: str,
    profile: int | None,
    password: str | None,
    now: datetime,
) -> Admission:
    """Let a charger connect from now on. ``profile`` None: 2 where the site has TLS, else 1.

    Raises InputError with every broken rule; then nothing was changed.
    """
    if profile is None:
        profile = TLS_PROFILE if settings.ocpp.tls else PASSWORD_PROFILE
    if profile == CERTIFICATE_PROFILE:
        _refuse_password(password)
    authority = _authority(settings, profile, now)
    with CredentialStore(settings.store.credentials) as store:
        made = store.add(charger_id, profile, _unix_us(now), password=password)
    return Admission(made, _certificate(settings, authority, made, now))


def readmit(
    settings: ServeSettings, charger_id: str, password: str | None, now: datetime
) -> Admission:
    """Give a charger another password; with profile 3 another certificate.

    Raises InputError where it has no credential, or the password breaks a rule.
    """
    make_private(settings.store.directory)
    with CredentialStore(settings.store.credentials) as store:
        known = store.find(charger_id)
        if known is not None and known.security_profile == CERTIFICATE_PROFILE:
            _refuse_password(password)
            made = NewCredential(known, None)
        else:
            made = store.set_password(charger_id, password)
    authority = _authority(settings, made.credential.security_profile, now)
    return Admission(made, _certificate(settings, authority, made, now))


def revoke(settings: ServeSettings, charger_id: str) -> Credential:
    """Keep a charger out from now on. Raises InputError where it has no credential."""
    make_private(settings.store.directory)
    with CredentialStore(settings.store.credentials) as store:
        known = store.find(charger_id)
        store.remove(charger_id)
    assert known is not None  # noqa: S101 `remove` would have raised
    return known


def _authority(settings: ServeSettings, profile: int, now: datetime) -> Authority | None:
    """The site's authority, made where a charger of that profile has to trust it or gets its certificate from it."""
    make_private(settings.store.directory)
    is_trusted = profile >= TLS_PROFILE and settings.ocpp.tls_certificate is None
    if is_trusted or _issues(settings, profile):
        return site_authority(settings.store.authority, settings.name, now)
    return None


def _certificate(
    settings: ServeSettings, authority: Authority | None, made: NewCredential, now: datetime
) -> Issued | None:
    credential = made.credential
    if authority is None or not _issues(settings, credential.security_profile):
        return None
    return authority.issue_client_certificate(credential.charger_id, now)


def _issues(settings: ServeSettings, profile: int) -> bool:
    """Whether chargers get certificates from the site's authority, and not from one of the user's own."""
    return profile == CERTIFICATE_PROFILE and settings.ocpp.client_authority is None


def _refuse_password(password: str | None) -> None:
    if password is not None:
        rule = "must not be given with profile 3: the charger proves itself by its certificate"
        raise InputError([InputFault("password", rule)])


def _unix_us(now: datetime) -> int:
    return int(now.timestamp() * 1e6)
