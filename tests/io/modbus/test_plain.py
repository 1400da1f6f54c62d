"""Registers that the settings name: runs to read, signs, words the other way round."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.modbus.plain import blocks, measured_plain
from parkwatt.io.modbus.settings import PlainRegisters

ORDER = (1, 2, 3)


@given(
    st.integers(0, 400),
    st.lists(st.integers(0, 400), max_size=3),
    st.sampled_from(["int16", "float32"]),
)
def test_runs_hold_what_is_asked_for_and_nothing_that_is_not(
    register: int, currents: list[int], kind: str
) -> None:
    plain = PlainRegisters(register=register, type=kind, current_registers=tuple(currents))  # type: ignore[arg-type] # one of the types
    size = 1 if kind == "int16" else 2
    asked = {address + index for address in (register, *currents) for index in range(size)}
    runs = blocks(plain)
    read = [address for begin, count in runs for address in range(begin, begin + count)]
    assert set(read) == asked
    assert all(count <= 125 for _, count in runs)


def test_an_eastron_meter() -> None:
    """SDM630: input registers, float32; currents at 6, 8 and 10, power at 52."""
    plain = PlainRegisters(
        register=52, type="float32", function="input", current_registers=(6, 8, 10)
    )
    assert blocks(plain) == [(6, 6), (52, 2)]
    told = {6: 1.5, 8: 2.5, 10: 0.25, 52: -1500.0}
    registers: dict[int, int] = {}
    for address, value in told.items():
        words = struct.unpack(">HH", struct.pack(">f", value))
        registers.update(enumerate(words, start=address))
    values = measured_plain(plain, registers, "import_positive", ORDER)
    assert values.power_kw == pytest.approx(-1.5)
    assert values.phase_current_a == (1.5, 2.5, 0.25)


def test_low_word_first_with_a_scale_and_the_other_sign() -> None:
    """Carlo Gavazzi EM24: int32, low word first, a tenth of a watt; here wired the other way round."""
    plain = PlainRegisters(
        register=40,
        type="int32",
        swap=True,
        scale=0.1,
        current_registers=(12, 14, 16),
        current_scale=0.001,
    )
    registers = {40: 0xFFFF & -25_000, 41: 0xFFFF, 12: 1500, 13: 0, 14: 0, 15: 0}
    registers |= {16: 0xFFFF & -700, 17: 0xFFFF}
    values = measured_plain(plain, registers, "export_positive", ORDER)
    assert values.power_kw == pytest.approx(2.5)
    # Which way a current flows cannot be told: each counts as import.
    assert values.phase_current_a == pytest.approx((1.5, 0.0, 0.7))


def test_one_phase_has_no_order() -> None:
    plain = PlainRegisters(register=0, type="int16", current_registers=(1,))
    values = measured_plain(plain, {0: 5, 1: 7}, "import_positive", (3, 1, 2))
    assert values.phase_current_a == (7.0,)


def test_a_value_that_is_not_there_is_unknown() -> None:
    plain = PlainRegisters(register=0, type="int16")
    assert measured_plain(plain, {0: 0x8000}, "import_positive", ORDER).power_kw is None
