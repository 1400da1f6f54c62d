"""What a site's TOML file says about its chargers' back end (docs/guides/chargers.md): read and checked, nothing opened yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from parkwatt.app.site_file import LIVE_TABLES, POOL_TABLES, STUDY_TABLES, skip
from parkwatt.domain.record import Faults, Record
from parkwatt.io.ocpp.server.identity import is_identity, is_loopback
from parkwatt.io.ocpp.session.settings import ChargerSettings, EnterServiceUnit
from parkwatt.io.toml_file import read_toml

_POWER_KW_MAX = 4000.0
_PORT_MAX = 65_535
_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 compared with, not bound to


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def is_anywhere(self) -> bool:
        """Whether it stands for every address of the machine, and so names none."""
        return self.host in _ANYWHERE


@dataclass(frozen=True, slots=True)
class OcppSettings:
    """The chargers' socket. ``tls_certificate``, ``tls_key``: PEM files, None for the site's own authority or no TLS.

    ``tls``: security profiles 2 and 3; without it profile 1, on loopback only unless ``allow_unencrypted``.
    ``admit_unknown``: let chargers in that have no credential, on loopback only. ``names``: what chargers call this machine.
    ``frames_per_second``: of each charger; ``frames_in_all_per_second``: of all.
    """

    address: Address
    tls: bool
    tls_certificate: Path | None
    tls_key: Path | None
    client_authority: Path | None
    names: tuple[str, ...]
    allow_unencrypted: bool
    admit_unknown: bool
    compression: bool
    links_max: int
    links_per_second: float
    frames_per_second: float
    frames_in_all_per_second: float

    @property
    def issues_certificates(self) -> bool:
        """Whether the server's certificate comes from the site's own authority."""
        return self.tls and self.tls_certificate is None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the journal, the credentials and the token of the API lie. ``telemetry_days``: then readings are thinned."""

    directory: Path
    telemetry_days: int

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.directory / "journal.sqlite"

    @property
    def credentials(self) -> Path:
        """The chargers' credentials."""
        return self.directory / "credentials.sqlite"

    @property
    def token(self) -> Path:
        """The token of the API."""
        return self.directory / "api-token"

    @property
    def access(self) -> Path:
        """Users, sessions and API tokens."""
        return self.directory / "access.sqlite"

    @property
    def authority(self) -> Path:
        """The site's own certificate authority."""
        return self.directory / "authority"


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The whole file, as far as it concerns the back end. ``virtual``: chargers that Parkwatt plays itself, to try things."""

    name: str
    ocpp: OcppSettings
    store: StoreSettings
    api: Address
    log_format: str
    log_level: str
    chargers: dict[str, ChargerSettings]
    defaults: ChargerSettings
    virtual: tuple[str, ...] = ()

    def charger(self, charger_id: str) -> ChargerSettings:
        """A charger's settings: its own, else those of all."""
        return self.chargers.get(charger_id, self.defaults)


def read_serve_settings(path: Path, faults: Faults) -> ServeSettings | None:
    """The settings in the TOML file at ``path``; None where it is no TOML. After faults they must not be used."""
    table = read_toml(path, faults)
    if table is None:
        return None
    record = Record(table, "", faults)
    skip(record, (*STUDY_TABLES, *LIVE_TABLES, *POOL_TABLES))
    name = record.text("name", path.stem)
    ocpp = _read_ocpp(record.record("ocpp", required=False), path.parent)
    store = _read_store(record.record("store", required=False), path)
    api = _read_api(record.record("api", required=False))
    log = record.record("log", required=False)
    log_format = log.text("format", "console", choices=("console", "json"))
    log_level = log.text("level", "info", choices=("debug", "info", "warning", "error"))
    log.finish()
    defaults_record = record.record("charger_defaults", required=False)
    defaults = _read_charger(defaults_record, ChargerSettings())
    defaults_record.finish()
    chargers: dict[str, ChargerSettings] = {}
    virtual: list[str] = []
    for charger in record.records("charger"):
        charger_id = charger.text("id")
        if charger_id and not is_identity(charger_id):
            rule = "must be 1 to 48 of the letters, digits and * - _ = + | @ . that OCPP allows"
            charger.fault("id", rule, charger_id)
        if charger_id in chargers:
            charger.fault("id", "must be given once", charger_id)
        chargers[charger_id] = _read_charger(charger, defaults)
        if charger.boolean("virtual", False):
            virtual.append(charger_id)
            _check_virtual(charger, ocpp)
        charger.finish()
    record.finish()
    return ServeSettings(
        name, ocpp, store, api, log_format, log_level, chargers, defaults, tuple(virtual)
    )


def _check_virtual(record: Record, ocpp: OcppSettings) -> None:
    """What a virtual charger needs to come in: it has no credential, and comes from this machine."""
    if ocpp.tls or not ocpp.admit_unknown or ocpp.address.port == 0:
        rule = "needs admit_unknown = true, no tls and a port of its own in [ocpp]"
        record.fault("virtual", rule, True)


def _read_ocpp(record: Record, folder: Path) -> OcppSettings:
    certificate = _read_file(record, "tls_certificate", folder)
    settings = OcppSettings(
        address=read_address(record, "listen", "127.0.0.1:9000"),
        tls=record.boolean("tls", certificate is not None),
        tls_certificate=certificate,
        tls_key=_read_file(record, "tls_key", folder),
        client_authority=_read_file(record, "client_authority", folder),
        names=tuple(record.texts("names") or ()),
        allow_unencrypted=record.boolean("allow_unencrypted", False),
        admit_unknown=record.boolean("admit_unknown", False),
        compression=record.boolean("compression", True),
        links_max=record.integer("links_max", 20_000, minimum=1, maximum=1_000_000),
        links_per_second=record.number("links_per_second", 4000.0, minimum=1.0, maximum=1e6),
        frames_per_second=record.number("frames_per_second", 50.0, minimum=1.0, maximum=1e6),
        frames_in_all_per_second=record.number(
            "frames_in_all_per_second", 50_000.0, minimum=1.0, maximum=1e7
        ),
    )
    _check_encryption(record, settings)
    record.finish()
    return settings


def _check_encryption(record: Record, ocpp: OcppSettings) -> None:
    """What the keys about TLS must be to each other."""
    shown = f"{ocpp.address.host}:{ocpp.address.port}"
    if (ocpp.tls_certificate is None) != (ocpp.tls_key is None):
        record.fault("tls_key", "tls_certificate and tls_key go together")
    if not ocpp.tls and ocpp.tls_certificate is not None:
        record.fault("tls", "must be true where tls_certificate is given", False)
    if not ocpp.tls and ocpp.client_authority is not None:
        record.fault("client_authority", "needs tls: a charger's certificate is part of it")
    if not (ocpp.tls or ocpp.allow_unencrypted or is_loopback(ocpp.address.host)):
        rule = (
            "must be an address of this machine alone, since passwords would cross the network in the clear: "
            "set tls = true, or allow_unencrypted = true if the network is trusted"
        )
        record.fault("listen", rule, shown)
    if ocpp.issues_certificates and ocpp.address.is_anywhere and not ocpp.names:
        rule = "must hold the name or address by which chargers reach this machine: its certificate is made for it"
        record.fault("names", rule)


def _read_api(record: Record) -> Address:
    address = read_address(record, "listen", "127.0.0.1:8080")
    if not (record.boolean("allow_unencrypted", False) or is_loopback(address.host)):
        rule = (
            "must be an address of this machine alone, since its token would cross the network in the clear: "
            "put a proxy with TLS before it, or set allow_unencrypted = true if the network is trusted"
        )
        record.fault("listen", rule, f"{address.host}:{address.port}")
    record.finish()
    return address


def _read_store(record: Record, site: Path) -> StoreSettings:
    directory = record.text("directory", f"{site.stem}-data")
    settings = StoreSettings(
        directory=site.parent / directory,
        telemetry_days=record.integer("telemetry_days", 90, minimum=1, maximum=36_500),
    )
    record.finish()
    return settings


def _read_charger(record: Record, defaults: ChargerSettings) -> ChargerSettings:
    tokens = record.texts("tokens")
    settings = ChargerSettings(
        discharge=record.boolean("discharge", defaults.discharge),
        negative_limit=record.boolean("negative_limit", defaults.negative_limit),
        tokens=defaults.tokens if tokens is None else frozenset(t.casefold() for t in tokens),
        power_kw_max=record.number(
            "power_kw_max", defaults.power_kw_max, minimum=0.1, maximum=_POWER_KW_MAX
        ),
        power_kw_min=_optional_power(record, "power_kw_min", defaults.power_kw_min),
        default_kw=_optional_power(record, "default_kw", defaults.default_kw),
        voltage_v=record.number("voltage_v", defaults.voltage_v, minimum=50.0, maximum=1500.0),
        phase_count=record.integer("phase_count", defaults.phase_count, minimum=1, maximum=3),
        heartbeat_s=record.integer("heartbeat_s", defaults.heartbeat_s, minimum=10, maximum=86_400),
        meter_interval_s=record.integer(
            "meter_interval_s", defaults.meter_interval_s, minimum=1, maximum=3600
        ),
        meter_public_keys=tuple(record.texts("meter_public_keys") or defaults.meter_public_keys),
        enter_service_unit=_read_unit(record, defaults.enter_service_unit),
    )
    _check_powers(record, settings)
    return settings


def _read_unit(record: Record, default: EnterServiceUnit) -> EnterServiceUnit:
    """``enter_service``: in what unit the charger reads a grid code's voltages, or that none are written to it."""
    units: tuple[EnterServiceUnit, ...] = get_args(EnterServiceUnit)
    text = record.text("enter_service", default, choices=units)
    return next((unit for unit in units if unit == text), default)


def _optional_power(record: Record, name: str, default: float | None) -> float | None:
    if not record.has(name):
        return default
    return record.optional_number(name, minimum=0.0, maximum=_POWER_KW_MAX)


def _check_powers(record: Record, settings: ChargerSettings) -> None:
    """What the powers must be to each other."""
    least_kw, default_kw = settings.power_kw_min or 0.0, settings.default_kw
    if least_kw > settings.power_kw_max:
        rule = f"must be at most power_kw_max, {settings.power_kw_max:g}"
        record.fault("power_kw_min", rule, least_kw)
    if default_kw is None or not record.has("default_kw"):
        return
    if default_kw > settings.power_kw_max:
        rule = f"must be at most power_kw_max, {settings.power_kw_max:g}"
        record.fault("default_kw", rule, default_kw)
    elif 0.0 < default_kw < least_kw:
        rule = f"must be 0 or at least power_kw_min, {least_kw:g}: below it the charger charges nothing"
        record.fault("default_kw", rule, default_kw)


def _read_file(record: Record, name: str, folder: Path) -> Path | None:
    if not record.has(name):
        return None
    path = folder / record.text(name)
    if not path.is_file():
        record.fault(name, "must name a file", str(path))
    return path


def read_address(record: Record, name: str, default: str) -> Address:
    """``host:port`` of a field; an IPv6 host stands in brackets. Port 0 takes a free one."""
    text = record.text(name, default)
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > _PORT_MAX:
        record.fault(name, "must be host:port, as in 127.0.0.1:9000", text)
        return Address("127.0.0.1", 0)
    return Address(host, int(port))
