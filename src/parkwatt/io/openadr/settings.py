"""What a pool's file says about its operator's OpenADR server: the table `[openadr]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from parkwatt.domain.record import Faults, Record
from parkwatt.io.ocpp.server.identity import is_loopback

Sign = Literal["import", "export"]
_SIGNS: Final = ("import", "export")


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """A programme that may ask for something. ``setpoint_sign``: what a set-point above 0 means: drawing from the grid, or
    giving.

    ``simple_levels_kw``: by how much the pool leaves its plan at level 1, 2 and 3 of a simple signal; empty: they are only
    shown.
    """

    name: str
    setpoint_sign: Sign = "import"
    simple_levels_kw: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenadrSettings:
    """Where the server is and who we are to it. ``token_url``: None: the server tells. ``scope``: empty: not asked for.

    ``poll_s``: how often events are read anew. ``lost_s``: without an answer for so long what was asked holds no more.
    ``fallback_import_kw``, ``fallback_export_kw``: what the pool may draw and give then, None: what was subscribed, else its
    plan.
    ``webhook``: host and port at which the server may tell that something changed, and the address under which it finds that.
    """

    url: str
    client_id: str
    client_secret_file: Path
    ven_name: str
    programs: tuple[ProgramSettings, ...]
    token_url: str | None = None
    scope: str = ""
    resource_name: str = "pool"
    poll_s: float = 30.0
    report_s: float = 60.0
    lost_s: float = 300.0
    fallback_import_kw: float | None = None
    fallback_export_kw: float | None = None
    mqtt: bool = False
    webhook_listen: tuple[str, int] | None = None
    webhook_url: str = ""

    def program(self, name: str) -> ProgramSettings | None:
        """The settings of a programme that may ask for something; None where it may not."""
        return next((one for one in self.programs if one.name == name), None)


def read_openadr(record: Record, folder: Path, faults: Faults) -> OpenadrSettings | None:
    """The settings in the table; None after faults."""
    before = len(faults.found)
    url = _url(record, "url", required=True)
    programs = tuple(_program(one) for one in record.records("program"))
    if not programs:
        record.fault("program", "must name at least one programme that may ask for something")
    names = [one.name for one in programs]
    if len(set(names)) < len(names):
        record.fault("program", "must name each programme once")
    secret = record.text("client_secret_file")
    settings = OpenadrSettings(
        url=url.rstrip("/"),
        client_id=record.text("client_id"),
        client_secret_file=folder / secret,
        ven_name=record.text("ven_name"),
        programs=programs,
        token_url=_url(record, "token_url", required=False) or None,
        scope=record.optional_text("scope") or "",
        resource_name=record.text("resource_name", "pool"),
        poll_s=record.number("poll_s", 30.0, minimum=1.0, maximum=3600.0),
        report_s=record.number("report_s", 60.0, minimum=5.0, maximum=3600.0),
        lost_s=record.number("lost_s", 300.0, minimum=10.0, maximum=86_400.0),
        fallback_import_kw=record.optional_number("fallback_import_kw", minimum=0.0),
        fallback_export_kw=record.optional_number("fallback_export_kw", minimum=0.0),
        mqtt=record.boolean("mqtt", False),
        webhook_listen=_address(record, "webhook_listen"),
        webhook_url=_url(record, "webhook_url", required=False),
    )
    if settings.lost_s < 2.0 * settings.poll_s:
        record.fault("lost_s", "must be at least twice poll_s", settings.lost_s)
    if (settings.webhook_listen is None) != (not settings.webhook_url):
        record.fault("webhook_url", "webhook_listen and webhook_url go together")
    if secret and not settings.client_secret_file.is_file():
        record.fault(
            "client_secret_file", "there is no such file", str(settings.client_secret_file)
        )
    record.finish()
    return settings if len(faults.found) == before else None


def _program(record: Record) -> ProgramSettings:
    sign = record.text("setpoint_sign", "import", choices=_SIGNS)
    levels = tuple(float(one) for one in record.numbers("simple_levels_kw", default=0.0))
    if levels and len(levels) != 3:
        record.fault("simple_levels_kw", "must be three powers, of levels 1, 2 and 3")
    found = ProgramSettings(record.text("name"), "export" if sign == "export" else "import", levels)
    record.finish()
    return found


def _url(record: Record, name: str, *, required: bool) -> str:
    """An address; one in the clear only on this machine, since passwords go to it."""
    text = record.text(name) if required else record.optional_text(name)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if host is None or parts.scheme not in ("http", "https"):
        record.fault(name, "must be a whole address, with https and a host", text)
    elif parts.scheme == "http" and not is_loopback(host):
        record.fault(name, "must be https, but on this machine", text)
    return text


def _address(record: Record, name: str) -> tuple[str, int] | None:
    text = record.optional_text(name)
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        record.fault(name, "must be a host and a port such as 127.0.0.1:8090", text)
        return None
    return host.strip("[]"), int(port)
