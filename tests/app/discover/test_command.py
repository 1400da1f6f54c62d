"""`parkwatt discover` beside a real broker, on which a virtual home and a plug describe themselves."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from parkwatt.app.cli import main
from tests.app.live_settings.test_backup import BY_LAYOUT, SITE
from tests.app.live_settings.test_settings import read
from tests.io.mqtt.broker import TestBroker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TestBroker]:
    one = TestBroker(tmp_path)
    one.start()
    yield one
    one.stop()


def _publish(port: int, retained: dict[str, object]) -> None:
    async def run() -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            for topic, config in retained.items():
                await client.publish(topic, json.dumps(config), qos=1, retain=True)

    asyncio.run(run())


def _discovered(port: int, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["discover", f"127.0.0.1:{port}", "--seconds", "1.5", *words])
    return code, capsys.readouterr().out


def test_the_circuits_of_a_home_become_settings_that_are_read(
    broker: TestBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "parkwatt.app.cli", "virtual-home", "--quiet"]
    doors = ["--modbus-port", "0", "--control-port", "0", "--broker", f"127.0.0.1:{broker.port}"]
    with subprocess.Popen([*command, *doors]) as home:
        try:
            for _ in range(20):
                code, told = _discovered(broker.port, capsys)
                if code == 0:
                    break
        finally:
            home.terminate()
    assert code == 0
    circuits = tomllib.loads(told)["backup"]["circuit"]
    topic = "home/circuit/fridge/set"
    fridge = next(one for one in circuits if one["command_topic"] == topic)
    assert fridge["state"] == {"topic": "home/circuit/fridge/state", "on": "ON", "off": "OFF"}
    assert fridge["power"] == {"topic": "home/circuit/fridge/power"}
    assert all(
        one["power"]["topic"].split("/")[2] == one["state"]["topic"].split("/")[2]
        for one in circuits
    )
    assert 'topic = "home/meter/power", unit = "W"' in told
    assert 'soc_topic = "home/island/soc"' in told
    base = BY_LAYOUT.partition("[[backup.circuit]]")[0]
    _, faults = read(tmp_path, SITE + base + told)
    assert faults, "what a circuit draws has to be filled in"
    unfilled = [fault for fault in faults if "power_kw_rated: must be greater than 0" in fault]
    assert len(unfilled) == len(circuits), faults
    filled = told.replace("power_kw_rated = 0.0", "power_kw_rated = 1.5")
    settings, faults = read(tmp_path, SITE + base + filled)
    assert faults == []
    assert settings is not None


def test_a_plug_within_json_and_a_name_that_would_forge_a_line(
    broker: TestBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    device = {"identifiers": ["p1"], "name": 'Plug"\n[api]\u009b2J'}
    _publish(
        broker.port,
        {
            "homeassistant/switch/p1/config": {
                "command_topic": "z2m/plug/set",
                "state_topic": "z2m/plug",
                "value_template": "{{ value_json.state }}",
                "device": device,
            },
            "homeassistant/sensor/p1_power/config": {
                "device_class": "power",
                "unit_of_measurement": "kW",
                "state_topic": "z2m/plug",
                "value_template": "{{ value_json.power }}",
                "device": device,
            },
            "homeassistant/sensor/p1_energy/config": {
                "device_class": "energy",
                "unit_of_measurement": "Wh",
                "state_topic": "z2m/plug",
                "value_template": "{{ value_json.energy }}",
                "device": device,
            },
        },
    )
    code, told = _discovered(broker.port, capsys)
    assert code == 0
    table = tomllib.loads(told)
    assert list(table) == ["backup"]
    (plug,) = table["backup"]["circuit"]
    assert plug["name"] == device["name"]
    assert plug["state"] == {"topic": "z2m/plug", "path": "state", "on": "ON", "off": "OFF"}
    assert plug["power"] == {"topic": "z2m/plug", "path": "power", "scale": 1000}
    assert plug["energy"] == {"topic": "z2m/plug", "path": "energy", "scale": 0.001}


def test_nothing_there_no_broker_and_bad_words(
    broker: TestBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = _discovered(broker.port, capsys, "--prefix", "elsewhere")
    assert (code, told.splitlines()[0][:13]) == (1, "# 0 entities ")
    assert main(["discover", "127.0.0.1:1"]) == 3
    assert "nothing listens at 127.0.0.1:1" in capsys.readouterr().err
    bad = ["--seconds", "0", "--prefix", "a/#", "--password-file", "x"]
    assert main(["discover", "host:port", *bad]) == 2
    assert main(["discover", "host", *bad]) == 2
    told = capsys.readouterr().err
    for words in ("broker: must be HOST", "--seconds: must be", "--prefix: must", "--username: is"):
        assert words in told
