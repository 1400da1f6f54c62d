"""A virtual home's coils, contacts and registers (docs/reference/virtual-home.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from parkwatt.domain.home.gateway import GatewayReading, TransferAction
from parkwatt.io.sim.backup.gateway import ACTIONS, POLES
from parkwatt.io.sim.backup.generator import PHASES
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.backup.source import STATES
from parkwatt.io.sim.backup.words import UNKNOWN, UNKNOWN_SIGNED, signed, split, unsigned

FAILURE: Final = 4
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
_COIL_CIRCUITS, _REGISTER_CIRCUITS, _CIRCUIT_REGISTERS = 10, 200, 10
_GENERATOR_COIL, _LEASE, _GENERATOR_REGISTER = 50, 103, 141
_BY_POLE: Final = {(name, wanted): action for action, (name, wanted) in ACTIONS.items()}


@dataclass(slots=True)
class Bank:
    """All that Modbus reaches. ``nominal_v``: of a phase."""

    life: Life
    nominal_v: float = 230.0

    # Reading.

    def coils(self) -> dict[int, bool]:
        """Function 1: what was commanded last."""
        home = self.life.home
        found = {
            number: home.gateway.poles[name].commanded == "closed"
            for number, name in enumerate(POLES)
        }
        for number, circuit in enumerate(home.circuits.values()):
            found[_COIL_CIRCUITS + number] = circuit.switch.commanded == "closed"
        if home.parts.generator is not None:
            found[_GENERATOR_COIL] = home.parts.generator.commanded
        return found

    def contacts(self) -> dict[int, bool]:
        """Function 2: each pole has a contact for open and one for closed; unknown is neither."""
        home, reading = self.life.home, self.life.home.reading()
        found: dict[int, bool] = {}
        for number, name in enumerate(POLES):
            told = getattr(reading, name)
            found[2 * number] = told == "open"
            found[2 * number + 1] = told == "closed"
        found[6] = reading.grid_present is True
        for number, circuit in enumerate(home.circuits.values()):
            found[_COIL_CIRCUITS + number] = circuit.switch.auxiliary() == "closed"
        return found

    def registers(self) -> dict[int, int]:
        """Functions 3 and 4, without SunSpec."""
        reading = self.life.home.reading()
        return {
            **self._gateway_registers(reading),
            **self._source_registers(),
            **self._circuit_registers(),
        }

    def _gateway_registers(self, reading: GatewayReading) -> dict[int, int]:
        home = self.life.home
        found = {
            100 + number: int(home.gateway.poles[name].commanded == "closed")
            for number, name in enumerate(POLES)
        }
        found[_LEASE] = min(home.gateway.lease_s, UNKNOWN - 1)
        for number, name in enumerate(POLES):
            told = getattr(reading, name)
            found[110 + number] = UNKNOWN if told is None else int(told == "closed")
        found[113] = UNKNOWN if reading.grid_present is None else int(reading.grid_present)
        found[114] = int(bool(reading.fault))
        found[115] = reading.measured_unix_us // SECOND_US % UNKNOWN
        phases_pu = reading.grid_voltage_pu or ()
        for number in range(3):
            voltage_pu = phases_pu[number] if number < len(phases_pu) else None
            found[120 + number] = self._volts(voltage_pu)
        if reading.grid_voltage_pu is None:
            found[123] = UNKNOWN
        else:
            found[123] = unsigned(100.0 * (reading.grid_frequency_hz or 0.0))
        found[124] = self._volts(reading.output_voltage_pu)
        found[125] = unsigned(100.0 * home.frequency_hz)
        found |= _double(126, reading.measured_unix_us // SECOND_US)
        return found

    def _volts(self, voltage_pu: float | None) -> int:
        return UNKNOWN if voltage_pu is None else unsigned(10.0 * voltage_pu * self.nominal_v)

    def _source_registers(self) -> dict[int, int]:
        home = self.life.home
        source, generator = home.source, home.parts.generator
        car = source.car if source.is_plugged else None
        found = {
            130: STATES.index(source.state),
            131: signed(1000.0 * source.power_kw),
            132: UNKNOWN if car is None else unsigned(1000.0 * car.soc),
            **_double(133, 0xFFFFFFFF if car is None else round(1000.0 * car.energy_kwh)),
            135: signed(1000.0 * home.parts.solar.power_kw),
            **_double(136, round(1000.0 * home.grid_kw) & 0xFFFFFFFF),
            138: UNKNOWN_SIGNED,
            139: UNKNOWN,
            140: UNKNOWN,
            _GENERATOR_REGISTER: UNKNOWN,
        }
        if source.battery is not None:
            found[138] = signed(1000.0 * source.battery_kw)
            found[139] = unsigned(1000.0 * source.battery.soc)
        if generator is not None:
            found[140] = PHASES.index(generator.phase)
            found[_GENERATOR_REGISTER] = int(generator.commanded)
        return found

    def _circuit_registers(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for number, circuit in enumerate(self.life.home.circuits.values()):
            at = _REGISTER_CIRCUITS + _CIRCUIT_REGISTERS * number
            told = circuit.switch.auxiliary()
            found[at] = int(circuit.switch.commanded == "closed")
            found[at + 1] = UNKNOWN if told is None else int(told == "closed")
            found[at + 2] = unsigned(1000.0 * circuit.power_kw)
            found |= _double(at + 3, round(1000.0 * circuit.energy_kwh))
            found[at + 5] = min(circuit.lease_s, UNKNOWN - 1)
        return found

    # Writing. Each returns an exception's code, 0 where it was done.

    def write_coil(self, address: int, *, on: bool) -> int:
        """Functions 5 and 15."""
        if 0 <= address < len(POLES):
            return self._ask(_BY_POLE[POLES[address], "closed" if on else "open"])
        if address == _GENERATOR_COIL:
            return 0 if self.life.run_generator(on=on) else ILLEGAL_ADDRESS
        return self._circuit(address - _COIL_CIRCUITS, lambda name: self.life.switch(name, on=on))

    def write_register(self, address: int, value: int) -> int:
        """Functions 6 and 16."""
        if address == _LEASE:
            return 0 if self.life.renew_lease(value).accepted else FAILURE
        number, place = divmod(address - _REGISTER_CIRCUITS, _CIRCUIT_REGISTERS)
        if address >= _REGISTER_CIRCUITS and place == 5:
            return self._circuit(number, lambda name: self.life.lease_circuit(name, value))
        coil = self._coil_of(address, number, place)
        if coil is None:
            return ILLEGAL_ADDRESS
        return self.write_coil(coil, on=value == 1) if value in (0, 1) else ILLEGAL_VALUE

    def _coil_of(self, address: int, number: int, place: int) -> int | None:
        """The coil that a register stands for."""
        if 100 <= address < 100 + len(POLES):
            return address - 100
        if address == _GENERATOR_REGISTER:
            return _GENERATOR_COIL
        return _COIL_CIRCUITS + number if address >= _REGISTER_CIRCUITS and place == 0 else None

    def _ask(self, action: TransferAction) -> int:
        return 0 if self.life.command(action).accepted else FAILURE

    def _circuit(self, number: int, do: Callable[[str], bool]) -> int:
        names = list(self.life.home.circuits)
        if not 0 <= number < len(names):
            return ILLEGAL_ADDRESS
        return 0 if do(names[number]) else FAILURE


def _double(address: int, value: int) -> dict[int, int]:
    high, low = split(value)
    return {address: high, address + 1: low}


def contiguous(found: dict[int, int] | dict[int, bool], address: int, count: int) -> Sequence[int]:
    """The values of a range of addresses; those between that mean nothing are 0, empty where it begins outside."""
    if address not in found or address + count - 1 > max(found):
        return ()
    return [int(found.get(at, 0)) for at in range(address, address + count)]
