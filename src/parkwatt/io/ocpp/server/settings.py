"""Where the chargers' listener stands and what it allows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from parkwatt.domain.record import Faults
from parkwatt.io.ocpp.server.identity import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A server certificate (chain, PEM) and its private key (PEM)."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Address, encryption, limits.

    ``tls``: empty for a plain listener; an RSA and an ECDSA certificate may stand side by side.
    ``client_authority``: PEM of the authorities that sign chargers' certificates (profile 3); None: profile 3 is not served.
    ``allow_unencrypted``: serve passwords without TLS (profile 1) beyond this machine.
    ``admit_unknown``: let chargers without a credential in, from this machine only (tests, first set-up); not behind a proxy.
    ``port``: 0 for any free one.
    ``ping_interval_s``: how often an idle link is asked for a sign of life.
    ``ping_timeout_s``: silence after which a charger that has answered pings before is given up.
    ``silence_s_max``: the same for one that has never answered a ping: it must let the longest heartbeat interval pass.
    ``frames_per_s``, ``frames_burst``: per charger; ``frames_in_all_per_s``: of all chargers; beyond, reading rests.
    ``duplicate_ping_s``: how long a live link may take to prove it is alive when its charger connects a second time.
    """

    host: str = "127.0.0.1"
    port: int = 8887
    tls: tuple[TlsFiles, ...] = ()
    client_authority: Path | None = None
    allow_unencrypted: bool = False
    admit_unknown: bool = False
    compression: bool = True
    connections_max: int = 20_000
    handshake_timeout_s: float = 10.0
    header_bytes_max: int = 16_384
    frame_bytes_max: int = 1_048_576
    unread_bytes_max: int = 1_048_576
    partial_frame_s_max: float = 60.0
    close_timeout_s: float = 5.0
    ping_interval_s: float = 60.0
    ping_timeout_s: float = 150.0
    silence_s_max: float = 3_700.0
    duplicate_ping_s: float = 3.0
    connections_per_s: float = 2_000.0
    connections_burst: int = 4_000
    charger_connections_per_minute: float = 30.0
    charger_connections_burst: int = 20
    failures_per_minute: float = 10.0
    failures_burst: int = 10
    frames_per_s: float = 50.0
    frames_burst: int = 1_000
    frames_in_all_per_s: float = 50_000.0

    @property
    def is_encrypted(self) -> bool:
        """Whether the listener speaks TLS."""
        return bool(self.tls)

    def check(self) -> None:
        """Raise `InputError` with every broken rule."""
        faults = Faults()
        if not self.host:
            faults.add("host", "must be an address or a host name", self.host)
        if not 0 <= self.port <= 65_535:
            faults.add("port", "must lie between 0 and 65535", self.port)
        if not (self.is_encrypted or self.allow_unencrypted or is_loopback(self.host)):
            faults.add(
                "host",
                "without TLS must be a loopback address, since passwords would cross the network in the clear: "
                "set a certificate, or allow_unencrypted = true if the network is trusted",
                self.host,
            )
        if self.client_authority is not None and not self.is_encrypted:
            faults.add(
                "client_authority",
                "needs a server certificate: clients' certificates are part of TLS",
            )
        if self.frame_bytes_max < 65_536:
            rule = "must be at least 65536: signed meter values and certificates are that long"
            faults.add("frame_bytes_max", rule, self.frame_bytes_max)
        for field in fields(self):
            value = getattr(self, field.name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and field.name != "port" and value <= 0:
                faults.add(field.name, "must be above 0", value)
        for name, path in self._files():
            if not path.is_file():
                faults.add(name, "must be a readable file", str(path))
        faults.raise_if_any()

    def _files(self) -> list[tuple[str, Path]]:
        files = (
            [] if self.client_authority is None else [("client_authority", self.client_authority)]
        )
        for at, pair in enumerate(self.tls):
            files += [(f"tls[{at}].certificate", pair.certificate), (f"tls[{at}].key", pair.key)]
        return files
