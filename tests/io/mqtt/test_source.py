"""One connection to a real broker: gone for hours, frozen, forbidding, flooding."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest
import uvloop

from parkwatt.domain.site.event import SocTold, SourceChanged
from parkwatt.io.clock.pace import WallPace
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.credentials.authority import create_authority
from parkwatt.io.meter_reading import Partial
from parkwatt.io.mqtt.connection import BrokerError, Timing
from parkwatt.io.mqtt.settings import MqttMeter, MqttSettings, Place, soc_topic
from parkwatt.io.mqtt.source import MqttSource
from tests.io.modbus.strangers import answering
from tests.io.mqtt.broker import TestBroker, running

GRID = MqttMeter(role="grid", power=Place("home/grid"))
SUN = MqttMeter(role="solar", power=Place("home/sun", ("power",)), sign="export_positive")
CAR = soc_topic("leaf", "car/soc")
QUICK = Timing(backoff_s=(0.02, 0.1))
HOUR_S = 3600.0
# As the fixture `time_unit_s`: on a slow machine all waits are longer.
TIME_UNIT_S = float(os.environ.get("PARKWATT_TEST_TIME_UNIT_S", "1.0"))
# paho does not close a socket whose TLS handshake failed: it goes with its last reference.
LEFT_TO_THE_COLLECTOR = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@dataclass
class Heard:
    """All that a source told."""

    readings: list[Partial] = field(default_factory=list)
    states: list[SourceChanged] = field(default_factory=list)
    socs: list[SocTold] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_reading(self, told: Partial) -> None:
        self.readings.append(told)
        self.news.set()

    def on_state(self, state: SourceChanged) -> None:
        self.states.append(state)
        self.news.set()

    def on_soc(self, told: SocTold) -> None:
        self.socs.append(told)
        self.news.set()

    def oks(self, source: str = "mqtt") -> list[bool]:
        return [state.ok for state in self.states if state.source == source]

    async def until(self, condition: Callable[[], bool], within_s: float = 5.0) -> None:
        """Wait until something told makes the condition true."""
        async with asyncio.timeout(within_s * TIME_UNIT_S):
            while not condition():
                self.news.clear()
                await self.news.wait()


def settings(broker: TestBroker) -> MqttSettings:
    """How to reach the broker."""
    return MqttSettings(host="127.0.0.1", port=broker.port)


def clock() -> int:
    """The wall's clock."""
    return time.time_ns() // 1000


async def listening(
    source_settings: MqttSettings,
    steps: Callable[[Heard, MqttSource], Awaitable[None]],
    timing: Timing = QUICK,
) -> Heard:
    """Take the steps while a source reads."""
    heard = Heard()
    source = MqttSource(
        source_settings, [GRID, SUN], [CAR], clock=clock, on_soc=heard.on_soc, timing=timing
    )
    reading = asyncio.create_task(source.run(heard.on_reading, heard.on_state))
    try:
        await steps(heard, source)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return heard


def sockets() -> set[str]:
    """The sockets that this process has open."""
    folder = Path("/proc/self/fd")
    links = {path.readlink().name for path in folder.iterdir() if path.is_symlink()}
    return {link for link in links if link.startswith("socket:")}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_reads_meters_and_cars_over_one_connection(
    tmp_path: Path, run: Callable[..., None]
) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(heard: Heard, source: MqttSource) -> None:
                assert source.topics == ["car/soc", "home/grid", "home/sun"]
                await broker.publish(("home/grid", "500"), retain=True)
                await asyncio.sleep(0.3)
                begun_us = clock()
                await broker.publish(("home/grid", "750"), ("home/sun", '{"power":2500}'))
                await broker.publish(("car/soc", "61"))
                await heard.until(lambda: bool(heard.socs) and len(heard.readings) >= 3)
                assert heard.socs[0].soc == pytest.approx(0.61)
                assert heard.readings[-2]["grid_kw"] == 0.75
                assert begun_us <= heard.readings[-2]["grid_unix_us"] <= clock()
                assert heard.readings[-1]["solar_kw"] == 2.5

            heard = await listening(settings(broker), steps)
            assert not heard.states

    run(main())


def test_a_retained_value_is_a_hint_and_no_fresh_reading(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:
            await broker.publish(("home/grid", "500"), ("car/soc", "40"), retain=True)

            async def steps(heard: Heard, _: MqttSource) -> None:
                await heard.until(lambda: bool(heard.readings))
                assert heard.readings[0]["grid_kw"] == 0.5
                assert heard.readings[0]["grid_unix_us"] == 0
                await asyncio.sleep(0.2)
                assert not heard.socs

            await listening(settings(broker), steps)

    asyncio.run(main())


def test_a_broker_that_ends_and_comes_back_is_told_twice(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(heard: Heard, _: MqttSource) -> None:
                for round_ in range(1, 4):
                    await asyncio.sleep(0.3)
                    broker.stop()
                    await heard.until(lambda: len(heard.oks()) % 2 == 1)
                    await asyncio.sleep(0.3)
                    broker.start()
                    await heard.until(lambda: len(heard.oks()) % 2 == 0)
                    assert heard.oks() == [False, True] * round_
                    count = len(heard.readings)
                    await broker.publish(("home/grid", f"{round_}000"))
                    await heard.until(lambda count=count: len(heard.readings) > count)  # type: ignore[misc] # bound now
                    assert heard.readings[-1]["grid_kw"] == round_

            heard = await listening(settings(broker), steps)
            assert "127.0.0.1" in heard.states[0].reason

    asyncio.run(main())


def test_a_broker_gone_for_hours_is_told_once_and_seldom_asked(tmp_path: Path) -> None:
    """On simulated time: as fast as can be while it is gone, then slowly, since the broker lives by the wall's clock."""
    heard = Heard()
    broker = TestBroker(tmp_path)
    pace = WallPace(1e6)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        source = MqttSource(settings(broker), [GRID], clock=lambda: round(loop.time() * 1e6))
        reading = asyncio.create_task(source.run(heard.on_reading, heard.on_state))
        await asyncio.sleep(6 * HOUR_S)
        requests: list[bytes] = []
        async with answering(requests.append, broker.port):
            await asyncio.sleep(6 * HOUR_S)
        assert heard.oks() == [False]
        assert "nothing listens at" in heard.states[0].reason
        assert 250 <= len(requests) <= 375
        pace.speed = 20.0
        broker.start()
        await heard.until(lambda: len(heard.oks()) == 2, within_s=180.0)
        pace.speed = 1.0
        await broker.publish(("home/grid", "1500"))
        await heard.until(lambda: bool(heard.readings))
        assert heard.readings[-1]["grid_kw"] == 1.5
        assert heard.readings[-1]["grid_unix_us"] >= 12 * HOUR_S * 1e6
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    try:
        run_warped(main(), pace)
    finally:
        broker.stop()


def test_a_frozen_broker_is_noticed_and_left(tmp_path: Path) -> None:
    """A half-open connection: everything is taken, nothing answered."""
    timing = replace(QUICK, answer_s=0.5, keepalive_s=1)

    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(heard: Heard, _: MqttSource) -> None:
                await asyncio.sleep(0.3)
                broker.freeze()
                await heard.until(lambda: heard.oks() == [False], within_s=8.0)
                await asyncio.sleep(1.5)
                assert heard.oks() == [False]
                broker.thaw()
                await heard.until(lambda: heard.oks() == [False, True], within_s=8.0)
                await broker.publish(("home/grid", "1000"))
                await heard.until(lambda: bool(heard.readings))

            await listening(settings(broker), steps, timing)

    asyncio.run(main())


def test_a_broker_that_never_answers_costs_no_sockets() -> None:
    timing = replace(QUICK, answer_s=0.05)

    async def main() -> None:
        async with answering(lambda _: b"") as port:

            async def steps(heard: Heard, _: MqttSource) -> None:
                await heard.until(lambda: heard.oks() == [False])
                await asyncio.sleep(0.5)
                before = len(sockets())
                await asyncio.sleep(2.0)
                assert len(sockets()) <= before + 2

            heard = await listening(MqttSettings(host="127.0.0.1", port=port), steps, timing)
            assert "does not answer" in heard.states[0].reason

    asyncio.run(main())


def test_the_password_is_read_anew_until_it_is_right(tmp_path: Path) -> None:
    password = tmp_path / "mqtt.password"
    password.write_text("wrong\n", encoding="utf-8")

    async def main() -> None:
        with running(tmp_path, users={"parkwatt": "right"}) as broker:

            async def steps(heard: Heard, _: MqttSource) -> None:
                await heard.until(lambda: heard.oks() == [False])
                await asyncio.sleep(0.5)
                password.write_text("right\n", encoding="utf-8")
                await heard.until(lambda: heard.oks() == [False, True])

            with_password = replace(settings(broker), username="parkwatt", password_file=password)
            timing = replace(QUICK, answer_s=1.0)
            heard = await listening(with_password, steps, timing)
            assert "check username and password_file" in heard.states[0].reason

    asyncio.run(main())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (2, "the broker refuses: "),
        (3, "the broker refuses: "),
        (4, "check username and password_file"),
        (5, "check username and password_file"),
    ],
)
def test_a_broker_that_refuses_is_told_with_its_reason(code: int, words: str) -> None:
    async def main() -> None:
        async with answering(lambda _: bytes((0x20, 2, 0, code))) as port:
            broken = MqttSettings(host="127.0.0.1", port=port)
            with pytest.raises(BrokerError, match=words):
                await MqttSource(broken, [GRID], clock=clock).check()

    asyncio.run(main())


def test_topics_that_may_not_be_read_are_named() -> None:
    """A broker that lets us in and forbids the second topic of three."""

    def answer(request: bytes) -> bytes:
        kind = request[0] >> 4
        if kind == 1:
            return bytes((0x20, 2, 0, 0))
        return bytes((0x90, 5, *request[2:4], 0, 0x80, 0)) if kind == 8 else b""

    async def main() -> None:
        async with answering(answer) as port:
            source = MqttSource(
                MqttSettings(host="127.0.0.1", port=port), [GRID, SUN], [CAR], clock=clock
            )
            with pytest.raises(BrokerError, match="does not allow to read home/grid: give"):
                await source.check()

    asyncio.run(main())


def test_a_password_file_that_is_gone_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        gone = MqttSettings(host="127.0.0.1", port=1, username="a", password_file=tmp_path / "gone")
        source = MqttSource(gone, [GRID], clock=clock)
        with pytest.raises(BrokerError, match="a file for the broker cannot be read"):
            await source.check()

    asyncio.run(main())


@LEFT_TO_THE_COLLECTOR
def test_tls_with_an_authority_of_its_own(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = create_authority(tmp_path / "authority", "Test", now)
    files = tmp_path / "broker.pem", tmp_path / "broker.key"
    authority.issue_server_certificate(["127.0.0.1"], now).write(*files)
    trusted = tmp_path / "ca.pem"
    trusted.write_text(authority.certificate_pem, encoding="utf-8")
    broker = TestBroker(tmp_path, certificate=files)
    broker.start()
    encrypted = replace(settings(broker), tls=True, ca_file=trusted)

    async def main() -> None:
        await MqttSource(encrypted, [GRID], clock=clock).check()
        with pytest.raises(BrokerError, match=r"certificate is not trusted .* ca_file"):
            await MqttSource(replace(encrypted, ca_file=None), [GRID], clock=clock).check()

    try:
        asyncio.run(main())
    finally:
        broker.stop()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (MqttSettings(host="127.0.0.1", port=1), "nothing listens at 127.0.0.1:1"),
        (MqttSettings(host="broker.invalid"), "the name broker.invalid is not known"),
    ],
)
def test_why_there_is_no_connection_is_told(broken: MqttSettings, words: str) -> None:
    async def main() -> None:
        with pytest.raises(BrokerError, match=words):
            await MqttSource(broken, [GRID], clock=clock).check()

    asyncio.run(main())


@LEFT_TO_THE_COLLECTOR
def test_a_port_without_tls_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker, pytest.raises(BrokerError, match="TLS"):
            await MqttSource(replace(settings(broker), tls=True), [GRID], clock=clock).check()

    asyncio.run(main())


def test_what_is_no_broker_is_told() -> None:
    async def main() -> None:
        async with answering(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            broken = MqttSettings(host="127.0.0.1", port=port)
            with pytest.raises(BrokerError):
                await MqttSource(broken, [GRID], clock=clock, timing=Timing(answer_s=0.5)).check()

    asyncio.run(main())


def test_a_flood_delays_nothing_and_keeps_the_newest(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(heard: Heard, _: MqttSource) -> None:
                await asyncio.sleep(0.3)
                async with aiomqtt.Client("127.0.0.1", broker.port) as client:
                    for watts in range(5000):
                        await client.publish("home/grid", str(watts))
                    await client.publish("home/sun", '{"power":1}', qos=1)
                await heard.until(
                    lambda: any("solar_kw" in told for told in heard.readings), within_s=20.0
                )
                await heard.until(
                    lambda: any(told.get("grid_kw") == 4.999 for told in heard.readings)
                )
                told_kw = [told["grid_kw"] for told in heard.readings if "grid_kw" in told]
                assert told_kw == sorted(told_kw)

            heard = await listening(settings(broker), steps)
            assert not heard.states

    asyncio.run(main())


def test_long_and_broken_messages_are_refused_and_cost_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(heard: Heard, _: MqttSource) -> None:
                await asyncio.sleep(0.3)
                await broker.publish(("home/grid", b"1" * 500_000))
                await heard.until(lambda: heard.oks("meter.grid") == [False])
                assert heard.readings[-1]["grid_kw"] is None
                await broker.publish(("home/grid", b"\xff\x00"), ("home/grid", "20"))
                await heard.until(lambda: heard.oks("meter.grid") == [False, True])

            await listening(settings(broker), steps)

    asyncio.run(main())


def test_a_meter_that_stops_is_told_by_time(tmp_path: Path) -> None:
    """On simulated time, which passes slowly while the broker has something to do."""
    pace = WallPace(1.0)

    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(heard: Heard, _: MqttSource) -> None:
                await asyncio.sleep(0.3)
                await broker.publish(("home/grid", "20"))
                await heard.until(lambda: bool(heard.readings))
                count = len(heard.readings)
                pace.speed = 200.0
                await heard.until(lambda: heard.oks("meter.grid") == [False], within_s=130.0)
                await asyncio.sleep(300.0)
                pace.speed = 1.0
                assert heard.oks("meter.grid") == [False]
                assert len(heard.readings) == count
                await broker.publish(("home/grid", "21"))
                await heard.until(lambda: heard.oks("meter.grid") == [False, True])

            await listening(settings(broker), steps)

    run_warped(main(), pace)
