"""Meters behind one address, polled for hours: outages, nonsense, slow and fast, and what is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import uvloop

from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import WarpLoop, run_warped
from parkwatt.io.meter_reading import Partial
from parkwatt.io.modbus.link import ModbusError
from parkwatt.io.modbus.settings import ModbusMeter, PlainRegisters
from parkwatt.io.modbus.source import ModbusSource
from parkwatt.io.sim.sunspec_meter import MeterShown, SunSpecServer
from tests.io.modbus.strangers import common, device_of, float_meter, pymodbus_server

START_UNIX_US = 1_767_225_600_000_000
HOUR_S = 3600.0


@dataclass
class Watched:
    """A device, the source that reads it, and all that the source told with the loop's time."""

    server: SunSpecServer
    grid_kw: float = 1.5
    sun_kw: float = 2.5
    poll_s: float = 2.0
    readings: list[tuple[float, Partial]] = field(default_factory=list)
    states: list[tuple[float, SourceChanged]] = field(default_factory=list)

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def on_reading(self, told: Partial) -> None:
        self.readings.append((self.now_s(), told))

    def on_state(self, state: SourceChanged) -> None:
        self.states.append((self.now_s(), state))

    @property
    def last(self) -> Partial:
        return self.readings[-1][1]

    def reasons(self) -> list[tuple[str, bool]]:
        return [(state.source, state.ok) for _, state in self.states]


Steps = Callable[[Watched], Awaitable[None]]


def watch(
    steps: Steps, meters: tuple[ModbusMeter, ...] = (ModbusMeter(role="grid", host=""),)
) -> Watched:
    """Take the steps while a source reads a device of ours, on simulated time."""
    kept: list[Watched] = []

    async def main() -> None:
        server = SunSpecServer()
        watched = Watched(server)
        kept.append(watched)
        server.meter = lambda: MeterShown(power_kw=watched.grid_kw)
        server.inverter_kw = lambda: watched.sun_kw
        port = await server.start()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WarpLoop)
        source = ModbusSource(
            [_at(meter, port) for meter in meters],
            clock=SimClock(loop.time, START_UNIX_US),
            poll_s=lambda: watched.poll_s,
        )
        reading = asyncio.create_task(source.run(watched.on_reading, watched.on_state))
        try:
            await steps(watched)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await server.stop()

    run_warped(main())
    return kept[0]


def _at(meter: ModbusMeter, port: int) -> ModbusMeter:
    return ModbusMeter(
        role=meter.role, host="127.0.0.1", port=port, unit=meter.unit, sign=meter.sign
    )


def test_it_tells_what_the_meter_shows_at_the_pace_that_is_asked_for() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(60.0)
        assert len(watched.readings) == pytest.approx(30, abs=1)
        watched.poll_s, watched.grid_kw = 15.0, -0.25
        await asyncio.sleep(60.0)
        assert len(watched.readings) == pytest.approx(35, abs=1)
        assert watched.last["grid_kw"] == pytest.approx(-0.25)

    watched = watch(steps)
    assert not watched.states
    assert watched.server.connections == 1
    for at_s, told in watched.readings:
        assert told["grid_unix_us"] == START_UNIX_US + round(at_s * 1e6)


def test_a_poll_is_one_request() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(1.0)
        before = watched.server.requests
        await asyncio.sleep(600.0)
        assert watched.server.requests - before == 300

    watch(steps)


def test_meters_of_one_device_share_its_only_connection() -> None:
    meters = (ModbusMeter(role="grid", host=""), ModbusMeter(role="solar", host=""))

    async def steps(watched: Watched) -> None:
        watched.server.faults.one_connection = True
        await asyncio.sleep(10.0)
        told = [reading for _, reading in watched.readings]
        assert told[-2]["grid_kw"] == pytest.approx(1.5)
        assert told[-1]["solar_kw"] == pytest.approx(2.5)
        assert watched.server.connections == 1

    assert not watch(steps, meters).states


def test_a_meter_gone_for_hours_is_told_once_and_comes_back_by_itself() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(10.0)
        count = len(watched.readings)
        port = await watched.server.stop()
        await asyncio.sleep(6 * HOUR_S)
        assert watched.reasons() == [("meter.grid", False)]
        assert "is Modbus TCP switched on" in watched.states[0][1].reason
        assert watched.states[0][0] < 20.0
        assert len(watched.readings) == count
        await watched.server.start(port=port)
        await asyncio.sleep(31.0)
        assert watched.reasons()[1:] == [("meter.grid", True)]
        assert watched.last["grid_kw"] == pytest.approx(1.5)

    watch(steps)


def test_after_hours_of_silence_it_is_read_within_half_a_minute() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(10.0)
        watched.server.faults.hang = True
        requests = watched.server.requests
        await asyncio.sleep(5 * HOUR_S)
        # Half a minute between two attempts: nobody is asked without end.
        assert watched.server.requests - requests < 5 * HOUR_S / 30.0 + 10
        watched.server.faults.hang = False
        back_s = watched.now_s()
        await asyncio.sleep(40.0)
        assert watched.reasons() == [("meter.grid", False), ("meter.grid", True)]
        assert watched.states[1][0] - back_s <= 33.0
        assert watched.readings[-1][0] - watched.readings[-2][0] == pytest.approx(2.0)

    watch(steps)


def test_a_single_failure_is_not_told() -> None:
    async def steps(watched: Watched) -> None:
        for _ in range(50):
            await asyncio.sleep(7.0)
            watched.server.faults.garbage = True
            await asyncio.sleep(2.0)
            watched.server.faults.garbage = False

    watched = watch(steps)
    assert not watched.states
    assert len(watched.readings) > 100


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("garbage", "no Modbus"),
        ("drop", "closed the connection"),
        ("busy", "it is busy"),
        ("wrong_transaction", "only to other requests"),
        ("not_implemented", "shows no power"),
    ],
)
def test_each_trouble_is_told_once_with_its_reason(fault: str, words: str) -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(10.0)
        setattr(watched.server.faults, fault, True)
        await asyncio.sleep(HOUR_S)
        assert watched.reasons() == [("meter.grid", False)]
        assert words in watched.states[0][1].reason
        setattr(watched.server.faults, fault, False)
        await asyncio.sleep(60.0)
        assert watched.reasons()[1:] == [("meter.grid", True)]
        assert watched.last["grid_kw"] == pytest.approx(1.5)

    watch(steps)


def test_a_meter_that_shows_nothing_is_unknown_at_once_and_not_0() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(10.0)
        watched.server.faults.not_implemented = True
        await asyncio.sleep(3.0)
        assert watched.last == {
            "grid_kw": None,
            "grid_unix_us": watched.last["grid_unix_us"],
            "phase_current_a": None,
            "voltage_v": None,
            "import_kwh": None,
            "export_kwh": None,
        }

    watch(steps)


def test_a_slow_meter_is_not_taken_for_fresher_than_it_is() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(10.0)
        watched.server.faults.delay_s = 2.5
        await asyncio.sleep(20.0)
        at_s, told = watched.readings[-1]
        assert told["grid_unix_us"] == pytest.approx(START_UNIX_US + (at_s - 2.5) * 1e6, abs=2)

    watch(steps)


def test_a_scale_that_changes_between_two_reads_changes_no_power() -> None:
    async def steps(watched: Watched) -> None:
        watched.grid_kw = 12.3
        for round_ in range(60):
            watched.server.scale_exponent = round_ % 4 - 1
            await asyncio.sleep(2.0)

    watched = watch(steps)
    assert len(watched.readings) > 55
    for _, told in watched.readings:
        assert told["grid_kw"] == pytest.approx(12.3, abs=0.51)


def test_a_device_that_changes_its_models_is_looked_at_anew() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(10.0)
        watched.server.inverter_kw = None  # the meter moves to where the inverter was
        watched.grid_kw = 0.75
        await asyncio.sleep(10.0)
        assert watched.last["grid_kw"] == pytest.approx(0.75)

    assert not watch(steps).states


def test_a_solar_edge_meter_counts_what_is_fed_in() -> None:
    async def steps(watched: Watched) -> None:
        watched.server.manufacturer = "SolarEdge"
        watched.server.export_positive = True
        await asyncio.sleep(1.0)
        assert watched.last["grid_kw"] == pytest.approx(1.5)
        assert watched.last["phase_current_a"] == pytest.approx((2.17, 2.17, 2.17))

    watch(steps)


def test_a_sign_that_is_set_holds_against_the_usual_one() -> None:
    async def steps(watched: Watched) -> None:
        await asyncio.sleep(1.0)
        assert watched.last["grid_kw"] == pytest.approx(-1.5)

    watch(steps, (ModbusMeter(role="grid", host="", sign="export_positive"),))


def test_the_sun_is_never_negative() -> None:
    async def steps(watched: Watched) -> None:
        watched.sun_kw = -0.004
        await asyncio.sleep(1.0)
        assert watched.last["solar_kw"] == 0.0

    watch(steps, (ModbusMeter(role="solar", host=""),))


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_devices_that_are_not_ours_are_read_on_any_loop(run: Callable[..., None]) -> None:
    phases = {"WphA": 500.0, "WphB": -1000.0, "WphC": 750.0, "AphA": 2.5, "AphB": 4.5, "AphC": 3.5}
    meter = float_meter(213, {"W": 250.0, **phases, "TotWhImp": 1000.0})
    device = {40_000: device_of(common("Fronius"), meter), 1000: [0xFFFF & -300]}

    async def main() -> None:
        async with pymodbus_server(device, unit=240) as port:
            grid = ModbusMeter(role="grid", host="127.0.0.1", port=port, unit=240)
            load = ModbusMeter(
                role="load",
                host="127.0.0.1",
                port=port,
                unit=240,
                plain=PlainRegisters(register=1000, type="int16", scale=10.0),
            )
            wrong = ModbusMeter(role="solar", host="127.0.0.1", port=port, unit=240, number=3)
            source = ModbusSource([grid, load, wrong], clock=lambda: 5, poll_s=lambda: 1.0)
            told = dict(await source.read_once())
            assert told[grid] == {
                "grid_kw": 0.25,
                "grid_unix_us": 5,
                "phase_current_a": (2.5, -4.5, 3.5),
                "voltage_v": None,
                "import_kwh": 1.0,
                "export_kwh": None,
            }
            assert told[load] == {"load_kw": -3.0, "load_unix_us": 5}
            assert isinstance(told[wrong], ModbusError)

    run(main())


def test_meters_of_different_devices_are_not_mixed() -> None:
    meters = [ModbusMeter(role="grid", host="a"), ModbusMeter(role="solar", host="b")]
    with pytest.raises(ValueError, match="one address"):
        ModbusSource(meters, clock=lambda: 0, poll_s=lambda: 1.0)
