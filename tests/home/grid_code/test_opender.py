"""Our return to service agrees with EPRI's OpenDER, and where it does not, it is told and tested here.

OpenDER takes a sample for the whole step that ends with it: at the first good one, a step of the delay is already over. Ours
takes it for an instant. A sample that holds from one time to the next is therefore shown to ours at both.
"""

import itertools
import math

import opender
import pytest

from parkwatt.home.grid_code import GRID_CODES, EnterServiceState, GridCode, qualify, ramp_kw
from tests.home.grid_code.opender_model import battery, criteria, quiet
from tests.home.grid_code.traces import NOMINAL_V, Trace, random_trace

IEEE_1547 = GRID_CODES["ieee1547-2018"]
TRACES = 1200


def ours(trace: Trace) -> list[bool]:
    """At the end of each step: whether the grid has qualified."""
    step_us = round(trace.step_s * 1_000_000)
    state, answers = EnterServiceState(), []
    for step, (volts, hertz) in enumerate(zip(trace.volts, trace.hertz, strict=True)):
        for time_us in (step * step_us, (step + 1) * step_us):
            voltage_pu = (volts / NOMINAL_V,)
            state, answer = qualify(state, trace.grid_code, voltage_pu, hertz, time_us)
        answers.append(answer.qualified)
    return answers


def test_agrees_on_random_grids() -> None:
    steps = qualified_steps = returns = 0
    for seed in range(TRACES):
        trace = random_trace(seed)
        expected, found = criteria(trace), ours(trace)
        assert found == expected, f"seed {seed}"
        steps += len(found)
        qualified_steps += sum(found)
        returns += sum(after and not before for before, after in itertools.pairwise(found))
    print(f"{TRACES} traces, {steps} steps, {qualified_steps} qualified, {returns} returns")  # noqa: T201
    assert returns >= TRACES, "the traces are worth comparing"
    assert 0.05 * steps < qualified_steps < 0.95 * steps


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_a_whole_inverter_until_full_power(seed: int) -> None:
    """From the return of the grid to the end of the ramp. OpenDER gives the first share of power in the step in which it
    enters service: its ramp is ours of one step later, and never more than a step ahead."""
    code = random_trace(seed).grid_code
    step_s = 5.0
    model = battery(code, step_s)
    state, entered_s = EnterServiceState(), None
    for step in range(math.ceil((code.delay_s + code.ramp_s) / step_s) + 10):
        volts = NOMINAL_V if step >= 3 else 0.0
        with quiet():
            model.update_der_input(p_dem_pu=1.0, v=volts, f=60.0, theta=0.0)
            model.run()
        for time_s in (step * step_s, (step + 1) * step_s):
            state, answer = qualify(
                state, code, (volts / NOMINAL_V,), 60.0, round(time_s * 1_000_000)
            )
        now_s = (step + 1) * step_s
        if answer.qualified and entered_s is None:
            entered_s = now_s
        assert (model.der_status != "Trip") == answer.qualified
        if entered_s is not None:
            reference_kw = 10.0 * min(1.0, model.activepowerfunc.enterserviceperf.p_es_pu)
            ahead_s = 0.0 if step_s > code.ramp_s else now_s - entered_s + step_s
            full = step_s > code.ramp_s
            expected_kw = 10.0 if full else ramp_kw(code, ahead_s, 10.0)
            assert reference_kw == pytest.approx(expected_kw, abs=1e-9)
            assert ramp_kw(code, now_s - entered_s, 10.0) <= reference_kw + 1e-9
    assert entered_s is not None
    assert model.der_status == "Continuous Operation"


def test_three_phases_at_their_usual_angles_agree() -> None:
    line_v = NOMINAL_V / math.sqrt(3)
    for worst_pu in (0.9169, 0.9171, 1.0499, 1.0501):
        voltage_pu = (1.0, worst_pu, 1.0)
        model = battery(IEEE_1547, 5.0, "THREE")
        with quiet():
            model.exec_delay.mode_and_execution_delay()
            model.update_der_input(p_dem_pu=1.0, v=[one * line_v for one in voltage_pu], f=60.0)
            model.der_input.operating_condition_input_processing()
            model.opstatus.enterservicecrit.es_decision()
        _, answer = qualify(EnterServiceState(), IEEE_1547, voltage_pu, 60.0, 0)
        assert bool(model.opstatus.enterservicecrit.es_vf_crit) == answer.in_band


def test_differs_where_phases_are_displaced() -> None:
    """OpenDER also watches the voltages between phases: a phase fed back at a wrong angle keeps it out. A gateway that tells
    amplitudes alone cannot show that; one that tells the voltages between phases may list them with the others."""
    model = battery(IEEE_1547, 5.0, "THREE")
    with quiet():
        model.exec_delay.mode_and_execution_delay()
        line_v = NOMINAL_V / math.sqrt(3)
        model.update_der_input(p_dem_pu=1.0, v=[line_v] * 3, theta=[0.0, -2.0944, 1.2], f=60.0)
        model.der_input.operating_condition_input_processing()
        model.opstatus.enterservicecrit.es_decision()
    inputs = model.der_input
    between = (inputs.v_ab_pu, inputs.v_bc_pu, inputs.v_ca_pu)
    assert not model.opstatus.enterservicecrit.es_vf_crit
    assert qualify(EnterServiceState(), IEEE_1547, (1.0,) * 3, 60.0, 0)[1].in_band
    assert not qualify(EnterServiceState(), IEEE_1547, (1.0,) * 3 + between, 60.0, 0)[1].in_band


def test_differs_at_the_start() -> None:
    """OpenDER begins as if the delay were over (its timer starts at infinity). The standard asks for the delay before service
    is entered, and ours waits for it after every start."""
    trace = Trace(IEEE_1547, 5.0, (NOMINAL_V,) * 61, (60.0,) * 61)
    assert criteria(trace)[0] is True
    found = ours(trace)
    assert found.index(True) * trace.step_s == IEEE_1547.delay_s - trace.step_s


def test_differs_where_the_frequency_is_unknown() -> None:
    """OpenDER assumes 60 Hz where no frequency is told; to ours, unknown is not in the band."""
    model = battery(IEEE_1547, 5.0)
    with quiet():
        model.exec_delay.mode_and_execution_delay()
        model.update_der_input(p_dem_pu=1.0, v=NOMINAL_V, theta=0.0)
        model.der_input.operating_condition_input_processing()
        model.opstatus.enterservicecrit.es_decision()
    assert model.opstatus.enterservicecrit.es_vf_crit
    assert not qualify(EnterServiceState(), IEEE_1547, (1.0,), None, 0)[1].in_band


def test_randomised_delay_is_the_references_alone() -> None:
    """With a ramp of 0 OpenDER may draw a delay from so many seconds; ours has a ramp or none, and never draws."""
    code = GridCode(
        name="no ramp",
        voltage_pu_min=0.917,
        voltage_pu_max=1.05,
        frequency_hz_min=59.5,
        frequency_hz_max=60.1,
        delay_s=60.0,
        ramp_s=0.0,
        source="a test",
        nominal_hz=60.0,
    )
    trace = Trace(code, 5.0, (0.0,) + (NOMINAL_V,) * 60, (0.0,) + (60.0,) * 60)
    assert ours(trace) == criteria(trace)
    model = battery(code, 5.0)
    model.der_file.ES_RANDOMIZED_DELAY_ACTUAL = 100.0
    late_steps = 0
    with quiet():
        for volts, hertz in zip(trace.volts, trace.hertz, strict=True):
            model.update_der_input(p_dem_pu=1.0, v=volts, f=hertz, theta=0.0)
            model.run()
            late_steps += model.der_status == "Trip"
    assert late_steps == ours(trace).index(True) + 100.0 / 5.0


def test_the_reference_is_the_version_that_was_read() -> None:
    assert opender.__version__.startswith("2.2")
