"""What may flow through the site's connection and circuits, and what each charger does when nobody tells it anything.

A charger that hears nothing falls back to a power that it holds itself. The house may draw its usual peak at that time, so the
fallback of all chargers together is what the connection leaves beside that peak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from parkwatt.domain.record import Record
from parkwatt.site.guard.facts import Circuit, Interconnection

_KW_MAX: Final = 1e6
_FUSE_A_MAX: Final = 10_000.0
_INTERCONNECTIONS: Final[tuple[Interconnection, ...]] = ("no_export", "export", "backup_only")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """The grid connection. ``import_limit_kw``: the lower of what is given and what the fuse carries; None: no limit known.

    ``fuse_a``: of each phase. ``household_kw_max``: what the house draws at most, without its chargers.
    """

    import_limit_kw: float | None
    export_limit_kw: float | None
    fuse_a: float | None
    phase_count: int
    voltage_v: float
    interconnection: Interconnection
    household_kw_max: float

    @property
    def fuse_kw(self) -> float | None:
        """What the fuses carry together."""
        return None if self.fuse_a is None else self.carried_kw(self.fuse_a)

    def carried_kw(self, fuse_a: float) -> float:
        """What fuses of this size carry on all phases."""
        return fuse_a * self.voltage_v * self.phase_count / 1000.0


@dataclass(frozen=True, slots=True)
class CircuitSettings:
    """A circuit with the chargers that hang on it."""

    circuit: Circuit
    charger_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plug:
    """A charger as far as limits concern it: its power and least power in kW, and its phases."""

    charger_id: str
    power_kw_max: float
    phase_count: int


def read_connection(record: Record) -> ConnectionSettings:
    """The table [connection]."""
    import_limit_kw = record.optional_number("import_limit_kw", minimum=0.0, maximum=_KW_MAX)
    fuse_a = record.optional_number("fuse_a", minimum=1.0, maximum=_FUSE_A_MAX)
    phase_count = record.integer("phase_count", 3, minimum=1, maximum=3)
    if phase_count == 2:
        record.fault("phase_count", "must be 1 or 3", phase_count)
    name = record.text("interconnection", "no_export", choices=_INTERCONNECTIONS)
    settings = ConnectionSettings(
        import_limit_kw=import_limit_kw,
        export_limit_kw=record.optional_number("export_limit_kw", minimum=0.0, maximum=_KW_MAX),
        fuse_a=fuse_a,
        phase_count=phase_count,
        voltage_v=record.number("voltage_v", 230.0, minimum=50.0, maximum=1500.0),
        interconnection=next((one for one in _INTERCONNECTIONS if one == name), "no_export"),
        household_kw_max=record.number("household_kw_max", 6.0, minimum=0.0, maximum=_KW_MAX),
    )
    record.finish()
    fuse_kw = settings.fuse_kw
    if fuse_kw is None or fuse_kw != fuse_kw:  # NaN: a fault already
        return settings
    if import_limit_kw is not None and import_limit_kw > fuse_kw:
        rule = f"must be at most what the fuses carry, {fuse_kw:g} kW (fuse_a × voltage_v × phase_count)"
        record.fault("import_limit_kw", rule, import_limit_kw)
    limit_kw = fuse_kw if import_limit_kw is None else min(import_limit_kw, fuse_kw)
    return replace(settings, import_limit_kw=limit_kw)


def read_circuits(
    records: list[Record], connection: ConnectionSettings, charger_ids: set[str]
) -> tuple[CircuitSettings, ...]:
    """The tables [[circuit]]. ``charger_ids``: those that the site knows."""
    found: list[CircuitSettings] = []
    names: set[str] = set()
    placed: set[str] = set()
    for record in records:
        name = record.text("name")
        if name in names:
            record.fault("name", "must be given once", name)
        names.add(name)
        limit_kw = record.optional_number("import_limit_kw", minimum=0.0, maximum=_KW_MAX)
        fuse_a = record.optional_number("fuse_a", minimum=1.0, maximum=_FUSE_A_MAX)
        if limit_kw is None and fuse_a is None:
            record.fault("import_limit_kw", "is required, or fuse_a in its place")
        limits = [limit_kw, None if fuse_a is None else connection.carried_kw(fuse_a)]
        chargers = record.texts("chargers")
        if not chargers:
            record.fault("chargers", "must name the chargers on this circuit")
        for index, charger_id in enumerate(chargers or ()):
            if charger_id not in charger_ids:
                record.fault(f"chargers[{index}]", "must be a charger of this site", charger_id)
            elif charger_id in placed:
                record.fault(f"chargers[{index}]", "must be on one circuit only", charger_id)
            placed.add(charger_id)
        record.finish()
        limit = min((one for one in limits if one is not None), default=0.0)
        found.append(
            CircuitSettings(Circuit(name=name, import_limit_kw=limit), tuple(chargers or ()))
        )
    return tuple(found)


def default_powers_kw(
    connection: ConnectionSettings, circuits: tuple[CircuitSettings, ...], plugs: list[Plug]
) -> Mapping[str, float]:
    """What each charger may charge with when nobody tells it anything, by its id: at most its own power.

    All get the same share of what the connection leaves beside the house's peak, per phase where fuses are given: chargers
    on one phase may all hang on the same. A circuit is shared by its own chargers.
    """
    shares = {plug.charger_id: plug.power_kw_max for plug in plugs}
    if connection.import_limit_kw is not None and plugs:
        free_kw = max(connection.import_limit_kw - connection.household_kw_max, 0.0)
        for plug in plugs:
            shares[plug.charger_id] = min(
                shares[plug.charger_id], _share_kw(free_kw, len(plugs), plug, connection)
            )
    for settings in circuits:
        members = [plug for plug in plugs if plug.charger_id in settings.charger_ids]
        for plug in members:
            limit_kw = settings.circuit.import_limit_kw
            shares[plug.charger_id] = min(
                shares[plug.charger_id], _share_kw(limit_kw, len(members), plug, connection)
            )
    return {charger_id: _rounded_down(power_kw) for charger_id, power_kw in shares.items()}


def _share_kw(free_kw: float, count: int, plug: Plug, connection: ConnectionSettings) -> float:
    share_kw = free_kw / count
    if connection.fuse_a is not None and plug.phase_count < connection.phase_count:
        share_kw *= plug.phase_count / connection.phase_count
    return share_kw


def _rounded_down(power_kw: float) -> float:
    return int(power_kw * 1000.0 + 1e-6) / 1000.0
