"""What a person or a test may do to a virtual home while it runs, one line each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

from parkwatt.domain.duration import read_duration_s
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.home.gateway import TransferAction
from parkwatt.io.sim.backup.gateway import POLES, Sense
from parkwatt.io.sim.backup.grid import Change
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.pole import AUXILIARIES, SECOND_US, PoleFaults
from parkwatt.io.sim.backup.status import status_words

HELP = (
    "outage [in 10m] for 36h [gap 10s], outage stop, sag PU for 30s, flicker TIMES, frequency HZ for 60s, phase for 60s, "
    "press ACTION, circuit ID on|off, generator on|off, interlock on|off, plug, unplug, soc FRACTION, wake, link 30s, "
    "fault PLACE.NAME=VALUE, status"
)
_TRUE, _FALSE = ("", "yes", "on", "true", "1"), ("no", "off", "false", "0")


def apply_control(life: Life, line: str) -> str:
    """Do what a line says, now; returns what came of it in words. Raises InputError where it cannot be read."""
    name, *words = line.split() or [""]
    if name not in _COMMANDS:
        raise InputError([InputFault("control", f"must be one of: {HELP}", line)])
    life.now_us()
    said = _COMMANDS[name](life, words)
    life.touched()
    return said


def _after(words: list[str], name: str, default: str | None = None) -> str:
    """The word after another."""
    if name in words and words.index(name) + 1 < len(words):
        return words[words.index(name) + 1]
    if default is None:
        raise InputError([InputFault("control", f"needs '{name}' and a value", " ".join(words))])
    return default


def _first(words: list[str], rule: str) -> str:
    if not words:
        raise InputError([InputFault("control", rule, "")])
    return words[0]


def _number(words: list[str], name: str, *, least: float, most: float) -> float:
    text = _first(words, f"{name} needs a number")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise InputError([InputFault(name, f"must be a number from {least:g} to {most:g}", text)])
    return number


def _flag(name: str, text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise InputError([InputFault(name, "must be on or off", text)])
    return text.lower() in _TRUE


def _plan(life: Life, changes: list[Change]) -> str:
    life.home.grid.plan(changes)
    begins_s = (changes[0].at_us - life.home.now_us) / SECOND_US
    lasts_s = (changes[-1].at_us - changes[0].at_us) / SECOND_US
    return f"{changes[0].text} in {_duration(begins_s)}, over after {_duration(lasts_s)}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"


def _outage(life: Life, words: list[str]) -> str:
    grid, now_us = life.home.grid, life.home.now_us
    if words[:1] == ["stop"]:
        grid.plan([grid.back(now_us)])
        return "the grid is back"
    wait_s = read_duration_s("in", _after(words, "in", "0s"))
    lasts_s = read_duration_s("for", _after(words, "for"))
    gap_s = read_duration_s("gap", _after(words, "gap", "0s"))
    start_us = now_us + round(wait_s * SECOND_US)
    if gap_s > 0:
        return _plan(life, grid.returning_with_gaps(start_us, lasts_s, gap_s=gap_s))
    return _plan(life, grid.outage(start_us, lasts_s))


def _lasting_s(words: list[str]) -> float:
    return read_duration_s("for", _after(words, "for"))


def _sag(life: Life, words: list[str]) -> str:
    voltage_pu = _number(words, "sag", least=0.0, most=2.0)
    return _plan(life, life.home.grid.sag(life.home.now_us, _lasting_s(words), voltage_pu))


def _frequency(life: Life, words: list[str]) -> str:
    frequency_hz = _number(words, "frequency", least=1.0, most=100.0)
    home = life.home
    return _plan(life, home.grid.off_frequency(home.now_us, _lasting_s(words), frequency_hz))


def _phase(life: Life, words: list[str]) -> str:
    return _plan(life, life.home.grid.lost_phase(life.home.now_us, _lasting_s(words)))


def _flicker(life: Life, words: list[str]) -> str:
    times = round(_number(words, "flicker", least=1, most=1000))
    return _plan(life, life.home.grid.flicker(life.home.now_us, times))


def _press(life: Life, words: list[str]) -> str:
    name = _first(words, "press needs an action")
    action = next((one for one in get_args(TransferAction) if one == name), None)
    if action is None:
        known = ", ".join(get_args(TransferAction))
        raise InputError([InputFault("press", f"must be one of {known}", name)])
    answer = life.command(action)
    return "taken" if answer.accepted else f"refused: {answer.reason}"


def _circuit(life: Life, words: list[str]) -> str:
    name = _first(words, "circuit needs an id, and on or off")
    if name not in life.home.circuits:
        known = ", ".join(life.home.circuits)
        raise InputError([InputFault("circuit", f"must be one of {known}", name)])
    on = _flag("circuit", words[1] if len(words) > 1 else "on")
    return "taken" if life.switch(name, on=on) else "the switch took no command"


def _generator(life: Life, words: list[str]) -> str:
    on = _flag("generator", _first(words, "generator needs on or off"))
    return "taken" if life.run_generator(on=on) else "there is no generator"


def _interlock(life: Life, words: list[str]) -> str:
    life.home.gateway.interlock = _flag("interlock", _first(words, "interlock needs on or off"))
    return "the interlock is in" if life.home.gateway.interlock else "the interlock is out"


def _plug(life: Life, words: list[str]) -> str:  # noqa: ARG001 it has none
    life.home.plug(is_plugged=True)
    return "the car is there"


def _unplug(life: Life, words: list[str]) -> str:  # noqa: ARG001 it has none
    life.home.plug(is_plugged=False)
    return "the car is gone"


def _soc(life: Life, words: list[str]) -> str:
    soc = _number(words, "soc", least=0.0, most=1.0)
    car = life.home.source.car
    if car is None:
        return "there is no car"
    car.soc = soc
    return f"the car holds {car.energy_kwh:.1f} kWh"


def _wake(life: Life, words: list[str]) -> str:  # noqa: ARG001 it has none
    life.home.source.wake()
    return "the inverter is awake"


def _link(life: Life, words: list[str]) -> str:
    lasts_s = read_duration_s("link", _first(words, "link needs a duration"))
    life.link_lost_until_us = life.home.now_us + round(lasts_s * SECOND_US)
    return f"the link to the broker is cut for {_duration(lasts_s)}"


def _status(life: Life, words: list[str]) -> str:  # noqa: ARG001 it has none
    return status_words(life.home)


def _fault(life: Life, words: list[str]) -> str:
    text = _first(words, "fault needs PLACE.NAME=VALUE")
    path, _, value = text.partition("=")
    place, _, name = path.rpartition(".")
    if place == "gateway":
        _set_gateway_fault(life, name, value or "yes", " ".join(words))
    else:
        _set_pole_fault(life, place, name, value)
    return f"fault {text}"


def _set_gateway_fault(life: Life, name: str, value: str, line: str) -> None:
    faults = life.home.gateway.faults
    if name in ("silent", "deaf"):
        setattr(faults, name, _flag(f"gateway.{name}", value))
    elif name == "text":
        faults.text = line.partition("=")[2]
    elif name == "sense":
        sense = next((one for one in get_args(Sense) if one == value), None)
        if sense is None:
            known = ", ".join(get_args(Sense))
            raise InputError([InputFault("gateway.sense", f"must be one of {known}", value)])
        faults.sense = sense
    else:
        raise InputError([InputFault("gateway", "has silent, deaf, sense and text", name)])


def _set_pole_fault(life: Life, place: str, name: str, value: str) -> None:
    home = life.home
    poles = {str(pole): home.gateway.poles[pole] for pole in POLES}
    poles |= {f"circuit.{one}": circuit.switch for one, circuit in home.circuits.items()}
    if place not in poles:
        rule = f"must begin with gateway, {', '.join(POLES)} or circuit.ID"
        raise InputError([InputFault("fault", rule, place)])
    faults: PoleFaults = poles[place].faults
    if name == "sticks":
        faults.sticks = _flag(f"{place}.sticks", value)
    elif name in ("chatter_s", "slow_s"):
        setattr(faults, name, _number([value], f"{place}.{name}", least=0.0, most=3600.0))
    elif name == "chatter":
        seconds = _number([value or "1"], f"{place}.chatter", least=0.1, most=60.0)
        poles[place].chatter(seconds, home.now_us)
    elif name == "auxiliary":
        kind = next((one for one in AUXILIARIES if one == value), None)
        if kind is None:
            known = ", ".join(AUXILIARIES)
            raise InputError([InputFault(f"{place}.auxiliary", f"must be one of {known}", value)])
        faults.auxiliary = kind
    elif name == "deaf" and place.startswith("circuit."):
        home.circuits[place.removeprefix("circuit.")].deaf = _flag(f"{place}.deaf", value)
    else:
        rule = "has sticks, chatter_s, chatter, slow_s and auxiliary, a circuit deaf too"
        raise InputError([InputFault(place, rule, name)])


_COMMANDS: dict[str, Callable[[Life, list[str]], str]] = {
    "outage": _outage,
    "sag": _sag,
    "flicker": _flicker,
    "frequency": _frequency,
    "phase": _phase,
    "press": _press,
    "circuit": _circuit,
    "generator": _generator,
    "interlock": _interlock,
    "plug": _plug,
    "unplug": _unplug,
    "soc": _soc,
    "wake": _wake,
    "link": _link,
    "fault": _fault,
    "status": _status,
}
