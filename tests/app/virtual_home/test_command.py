"""`parkwatt virtual-home` and `parkwatt outage` as a user runs them."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from parkwatt.app.cli import build_parser, main
from parkwatt.app.virtual_home.arguments import doors, home_settings
from parkwatt.domain.errors import InputError

COMMAND = [sys.executable, "-m", "parkwatt.app.cli", "virtual-home", "--modbus-port", "0"]


@contextmanager
def a_home(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A home in a process, and the port of its control."""
    with subprocess.Popen(
        [*COMMAND, "--control-port", "0", *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        while "control at port" not in first:
            first = process.stdout.readline()
        try:
            text = json.loads(first)["text"] if first.startswith("{") else first
            yield process, text.strip().rpartition(" ")[2]
        finally:
            process.kill()


def parsed(*options: str) -> argparse.Namespace:
    return build_parser().parse_args(["virtual-home", *options])


def test_an_outage_is_let_begin_and_end(capsys: pytest.CaptureFixture[str]) -> None:
    with a_home() as (process, port):
        assert main(["outage", "start", "--for", "36h", "--control-port", port]) == 0
        assert capsys.readouterr().out == "no voltage in 0 s, over after 36 h\n"
        assert main(["outage", "do", "press", "open_grid_pole", "--control-port", port]) == 0
        assert main(["outage", "status", "--control-port", port]) == 0
        assert "home on dark" in capsys.readouterr().out
        assert main(["outage", "stop", "--control-port", port]) == 0
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=20)
        assert process.returncode == 0
    for words in ("no voltage", "the home is dark", "asked to open grid pole: taken", "normal"):
        assert words in told
    assert "both poles closed for 0.0 s" in told


def test_it_tells_json_from_the_first_line_on() -> None:
    with a_home("--json", "--outage", "for 1h", "--fault", "bond.sticks=yes") as (process, _):
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert all(json.loads(line)["station"] == "home" for line in told.splitlines())


def test_what_the_home_does_not_take_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with a_home() as (_, port):
        assert main(["outage", "start", "--for", "long", "--control-port", port]) == 2
        assert "for: must be a duration such as" in capsys.readouterr().err
        assert main(["outage", "do", "burn", "--control-port", port]) == 2
        assert "control: must be one of" in capsys.readouterr().err
        assert main(["outage", "stop", "now", "--control-port", port]) == 2


def test_without_a_home_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outage", "stop", "--control-port", "1"]) == 3
    assert "is `parkwatt virtual-home` running?" in capsys.readouterr().err


def test_options_make_the_home() -> None:
    options = parsed(
        *("--capacity", "80", "--soc", "0.5", "--power", "9.6", "--surge", "13", "--lease", "30"),
        *("--battery", "13.5", "--generator", "6", "--solar", "0", "--frequency", "60"),
        "--no-interlock",
    )
    settings = home_settings(options)
    assert settings.car is not None
    assert (settings.car.capacity_kwh, settings.car.soc) == (80.0, 0.5)
    assert (settings.source.continuous_kw, settings.source.surge_kw) == (9.6, 13.0)
    assert (settings.gateway.interlock, settings.gateway.lease_s) == (False, 30)
    assert settings.generator is not None
    assert (settings.battery_kwh, settings.generator.power_kw_max) == (13.5, 6.0)
    assert (settings.nominal_hz, settings.nominal_v, settings.phases) == (60.0, 120.0, 2)
    assert doors(options).nominal_v == 120.0


def test_the_broker_and_its_password(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("open sesame\n", encoding="utf-8")
    options = ("--broker", "broker.local", "--username", "me", "--password-file", str(secret))
    mqtt = doors(parsed(*options, "--topic", "house/")).mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.port, mqtt.topic) == ("broker.local", 1883, "house")
    assert (mqtt.username, mqtt.password) == ("me", "open sesame")
    assert doors(parsed()).mqtt is None


def test_all_faults_of_the_options_are_told_at_once() -> None:
    wrong = ("--capacity", "0", "--soc", "2", "--surge", "1", "--speed", "-1", "--battery", "-3")
    with pytest.raises(InputError) as caught:
        home_settings(parsed(*wrong))
    found = {fault.field for fault in caught.value.faults}
    assert found == {"--capacity", "--soc", "--surge", "--speed", "--battery"}
    unreachable = ("--broker", "broker:x", "--modbus-port", "70000", "--control-port", "-1")
    with pytest.raises(InputError) as caught:
        doors(parsed(*unreachable))
    found = {fault.field for fault in caught.value.faults}
    assert found == {"--broker", "--modbus-port", "--control-port"}
    with pytest.raises(InputError) as caught:
        doors(parsed("--broker", "b:1883", "--topic", "a/#", "--password-file", "nowhere"))
    assert {fault.field for fault in caught.value.faults} == {"--topic", "--password-file"}


def test_wrong_faults_and_outages_are_told_before_it_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = ["--fault", "bond.sticks=maybe", "--fault", "roof.sticks=yes", "--outage", "soon"]
    assert main(["virtual-home", *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
