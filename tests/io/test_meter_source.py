"""Which sources a site's settings give: one for each device, one for the broker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from parkwatt.domain.site.event import SocTold
from parkwatt.io.meter_reading import Partial
from parkwatt.io.meter_settings import Metering
from parkwatt.io.meter_source import meter_sources
from parkwatt.io.modbus.settings import ModbusMeter
from parkwatt.io.modbus.source import ModbusSource
from parkwatt.io.mqtt.settings import MqttMeter, MqttSettings, Place, soc_topic
from parkwatt.io.mqtt.source import MqttSource
from parkwatt.io.sim.sunspec_meter import MeterShown, SunSpecServer
from tests.io.mqtt.broker import running


def test_what_shares_an_address_shares_a_source() -> None:
    metering = Metering(
        meters=(
            ModbusMeter(role="grid", host="a"),
            ModbusMeter(role="solar", host="a"),
            ModbusMeter(role="battery", host="a", port=1502),
            MqttMeter(role="load", power=Place("l")),
        ),
        broker=MqttSettings(host="b"),
    )
    sources = meter_sources(metering, clock=lambda: 0, poll_s=lambda: 1.0)
    assert [type(source) for source in sources] == [ModbusSource, ModbusSource, MqttSource]


def test_without_meters_there_is_no_source() -> None:
    assert meter_sources(Metering(), clock=lambda: 0, poll_s=lambda: 1.0) == ()


def test_a_topic_without_a_broker_is_an_error() -> None:
    with pytest.raises(ValueError, match="no broker"):
        meter_sources(
            Metering(), clock=lambda: 0, poll_s=lambda: 1.0, soc_topics=[soc_topic("leaf", "t")]
        )


def test_meters_of_both_kinds_and_a_car_are_read_together(tmp_path: Path) -> None:
    readings: dict[str, object] = {}
    socs: list[SocTold] = []
    news = asyncio.Event()

    def on_reading(told: Partial) -> None:
        readings.update(told)
        news.set()

    def on_soc(told: SocTold) -> None:
        socs.append(told)
        news.set()

    async def main() -> None:
        server = SunSpecServer(meter=lambda: MeterShown(power_kw=3.0))
        port = await server.start()
        with running(tmp_path) as broker:
            metering = Metering(
                meters=(
                    ModbusMeter(role="grid", host="127.0.0.1", port=port),
                    MqttMeter(role="solar", power=Place("sun"), sign="export_positive"),
                ),
                broker=MqttSettings(host="127.0.0.1", port=broker.port),
            )
            sources = meter_sources(
                metering,
                clock=lambda: 7,
                poll_s=lambda: 0.1,
                soc_topics=[soc_topic("leaf", "car")],
                on_soc=on_soc,
            )
            tasks = [asyncio.create_task(one.run(on_reading, print)) for one in sources]
            await asyncio.sleep(0.3)
            await broker.publish(("sun", "1200"), ("car", "80"))
            async with asyncio.timeout(10.0):
                while not socs or "solar_kw" not in readings:
                    news.clear()
                    await news.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await server.stop()

    asyncio.run(main())
    assert (readings["grid_kw"], readings["solar_kw"]) == (3.0, 1.2)
    assert socs == [SocTold("leaf", 0.8, 7, "mqtt")]
