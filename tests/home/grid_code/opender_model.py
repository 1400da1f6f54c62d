"""EPRI's OpenDER as a reference: its enter-service criterion alone, and within a whole battery inverter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import opender

from parkwatt.home.grid_code import GridCode
from tests.home.grid_code.traces import NOMINAL_V, Trace


@contextmanager
def quiet() -> Iterator[None]:
    """Without its remarks on nameplates, which it makes at the root of all logs."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def battery(code: GridCode, step_s: float, phases: str = "SINGLE") -> opender.DER_BESS:
    """A battery inverter out of service, with the code's settings and no randomised delay. The time step is OpenDER's own
    global; the battery is large enough for hours at full power."""
    opender.DER.t_s = step_s
    with quiet():
        return opender.DER_BESS(
            NP_PHASE=phases,
            NP_AC_V_NOM=NOMINAL_V,
            NP_VA_MAX=10_000,
            NP_P_MAX=10_000,
            STATUS_INIT=False,
            ES_V_LOW=code.voltage_pu_min,
            ES_V_HIGH=code.voltage_pu_max,
            ES_F_LOW=code.frequency_hz_min,
            ES_F_HIGH=code.frequency_hz_max,
            ES_DELAY=code.delay_s,
            ES_RAMP_RATE=code.ramp_s,
            ES_RANDOMIZED_DELAY=0,
            NP_BESS_CAPACITY=1e9,
        )


def criteria(trace: Trace) -> list[bool]:
    """After each sample: whether the enter-service criterion is met."""
    model = battery(trace.grid_code, trace.step_s)
    with quiet():
        model.exec_delay.mode_and_execution_delay()
        met = []
        for volts, hertz in zip(trace.volts, trace.hertz, strict=True):
            model.update_der_input(p_dem_pu=1.0, v=volts, f=hertz, theta=0.0)
            model.der_input.operating_condition_input_processing()
            met.append(bool(model.opstatus.enterservicecrit.es_decision()))
    return met
