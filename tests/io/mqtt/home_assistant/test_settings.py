"""The table [home_assistant]: every fault at once."""

from __future__ import annotations

from parkwatt.domain.record import Faults, Record
from parkwatt.io.mqtt.home_assistant.settings import HomeAssistantSettings, read_home_assistant


def _read(**table: object) -> tuple[HomeAssistantSettings, list[str]]:
    faults = Faults()
    settings = read_home_assistant(Record(table, "home_assistant", faults))
    return settings, [str(fault) for fault in faults.found]


def test_an_empty_table_is_all_that_is_needed() -> None:
    assert _read() == (HomeAssistantSettings(), [])


def test_everything_can_be_said() -> None:
    settings, faults = _read(
        enabled=False, discovery_prefix="ha", topic_prefix="cabin/pw", language="de", commands=False
    )
    assert not faults
    assert settings.topic_prefix == "cabin/pw"
    assert settings.language == "de"
    assert not settings.enabled
    assert not settings.commands


def test_all_faults_are_told() -> None:
    _, faults = _read(discovery_prefix="a/+", topic_prefix="/x", language="fr", colour="red")
    assert len(faults) == 4
    _, faults = _read(topic_prefix="homeassistant")
    assert "must not be the discovery_prefix" in faults[0]
