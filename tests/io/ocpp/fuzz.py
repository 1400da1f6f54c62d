"""Throws broken, strange and hostile frames at the back end's conversation, and holds every answer to the standard.

    python -m tests.io.ocpp.fuzz --frames 1000000 --seed 1

Each frame is a valid message of one of the three versions with changes to its fields or its bytes, an answer to something
the station was asked, or nonsense. What must hold: nothing raises; what is a call gets exactly one answer, valid by its schema
where it is a result, with the call's id; what is none gets at most an error; what is asked of the charger is valid; every event
goes through the journal's JSON; a frame's time and a station's memory are bounded.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp import frame as wire
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.messages.catalogue import actions
from parkwatt.io.ocpp.session import v2, v16
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.messages.generate import example, generator, mutated

SECOND_US = 1_000_000
EXAMPLES = 6
CHANGED_MAX = 3000
RESPONSES_MAX = 40
# Of a station that only ever heard such frames.
STATE_BYTES_MAX = 4 << 20
FRAME_S_MAX = 0.5
TEXT_MAX = 20_000
# Memory is compared from here on: caches are full, pools are made.
FIRST = 50_000
_SETTINGS = ChargerSettings(discharge=True, negative_limit=True)
_CODES = {
    *("NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError"),
    *("PropertyConstraintViolation", "TypeConstraintViolation", "GenericError"),
}
_CODES_OF = {
    Version.V16: _CODES | {"FormationViolation", "OccurenceConstraintViolation"},
    Version.V201: _CODES
    | {"FormatViolation", "OccurrenceConstraintViolation"}
    | {"MessageTypeNotSupported", "RpcFrameworkError"},
}
_CODES_OF[Version.V21] = _CODES_OF[Version.V201]
_BITS = [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "null",
    "1e999",
    "-",
    "\\ud800",
    "\x00",
    "é",
    "[2,",
]
_NONSENSE = (
    *("", " ", "[]", "{}", "null", "2", '"x"', "[2]", '[2,"a"]', '[2,"a","Heartbeat"]', "[[[[[["),
    *('[3,"a"]', '[4,"a"]', '[5,"a","b"]', '[6,"a","NotifyPeriodicEventStream",{}]', '[9,"a",{}]'),
    *('[2,7,"Heartbeat",{}]', '["2","a","Heartbeat",{}]', '[2,"","Heartbeat",{}]', "[2,null,null]"),
    *(
        '[2,"a","Heartbeat",[]]',
        '[2,"a","Heartbeat","x"]',
        '[2,"a","__class__",{}]',
        "NaN",
        "[1e400]",
    ),
    *(
        '[4,"-1","GenericError","",{}]',
        "[" * 300,
        '[2,"a","Heartbeat",' + '{"a":' * 70 + "1" + "}" * 71,
    ),
    *('[2,"' + "i" * 300 + '","Heartbeat",{}]', '[2,"a","' + "A" * 5000 + '",{}]', "\ufeff[]"),
)


class Fuzz:
    """One run. ``life``: frames until a version's station is replaced by a new one.

    ``keep_going``: faults are gathered in ``findings``, one of each kind, and not raised.
    """

    def __init__(self, seed: int, *, life: int = 20_000) -> None:
        self.rng = generator(seed)
        self.counts: Counter[str] = Counter()
        self.findings: dict[str, Exception] = {}
        self.keep_going = False
        self.slowest_s = 0.0
        self.largest_state_bytes = 0
        self._life = life
        self._changed: dict[Version, list[tuple[str, str]]] = {version: [] for version in Version}
        self._responses: dict[tuple[Version, str], list[str]] = {}
        self._pool = {version: _examples(version, self.rng) for version in Version}
        self._now_unix_us = 1_800_000_000_000_000
        self._stations = {version: self._station(version) for version in Version}

    def run(self, frames: int) -> None:
        """Throw so many frames."""
        # Frames are timed: what else lives in this process is not to be searched for garbage meanwhile.
        gc.collect()
        gc.freeze()
        try:
            self._run(frames)
        finally:
            gc.unfreeze()

    def _run(self, frames: int) -> None:
        for number in range(1, frames + 1):
            version = self.rng.choice(tuple(Version))
            if number % self._life == 0:
                self._retire(version)
            self._throw(version, self.frame(version))
            if self.rng.random() < 0.02:
                self._live(version)
        for version in Version:
            self._retire(version)

    def frame(self, version: Version) -> str | bytes:
        """What to throw."""
        rng = self.rng
        choice = rng.random()
        if choice < 0.05:
            return rng.choice(_NONSENSE)
        if choice < 0.3:
            text = self._answer(version)
        else:
            action, payload = self._request(version)
            number = 6 if rng.random() < 0.03 else 2
            text = f'[{number},"m{rng.randrange(10**6)}","{action}",{payload}]'
        text = text[:TEXT_MAX]
        if rng.random() < 0.3:
            return _broken(text, rng)
        return text if rng.random() < 0.5 else text.encode()

    def _answer(self, version: Version) -> str:
        """An answer to what is awaited, or to nothing."""
        rng, session = self.rng, self._stations[version].session
        pending = None if session is None else session.pending
        message_id, action = ("nobody", "Reset")
        if pending is not None and rng.random() < 0.9:
            message_id, action = pending[0], pending[1].action
        choice = rng.random()
        if choice < 0.25:
            number = rng.choice([4, 4, 4, 5])
            code = rng.choice(["NotImplemented", "NotSupported", "", "Nonsense: at all"])
            return json.dumps([number, message_id, code, "d" * rng.choice([0, 9, 400]), {}])
        return f'[3,"{message_id}",{self._response(version, action)}]'

    def _request(self, version: Version) -> tuple[str, str]:
        """A message with or without changed fields. Changing them takes long: each is used several times."""
        rng, pool, changed = self.rng, self._pool[version], self._changed[version]
        if rng.random() < 0.04 or not changed:
            action, message = rng.choice(pool)
            one = (action, json.dumps(mutated(message, rng))[:TEXT_MAX])
            if len(changed) < CHANGED_MAX:
                changed.append(one)
            else:
                changed[rng.randrange(CHANGED_MAX)] = one
            return one
        if rng.random() < 0.5:
            return rng.choice(changed)
        action, message = rng.choice(pool)
        return action, json.dumps(message)

    def _response(self, version: Version, action: str) -> str:
        """The payload of an answer, with or without changed fields."""
        known = self._responses.setdefault((version, action), [])
        if len(known) < RESPONSES_MAX:
            message = example(version, action, "response", self.rng)
            if len(known) % 2:
                message = mutated(message, self.rng)
            known.append(json.dumps(message)[:TEXT_MAX])
        return self.rng.choice(known)

    def _station(self, version: Version) -> Station:
        station = Station(ChargerState("box"), _SETTINGS)
        self._connect(station, version)
        return station

    def _connect(self, station: Station, version: Version) -> None:
        prefix = f"p{self.rng.randrange(10**6)}-"
        self._hold(
            version, None, station.connect(version, 1, "p", self._now_unix_us, prefix=prefix)
        )

    def _live(self, version: Version) -> None:
        """Something else than a frame."""
        rng, station = self.rng, self._stations[version]
        self._now_unix_us += rng.choice([1, 2, 31]) * SECOND_US
        choice = rng.random()
        if choice < 0.1:
            self._hold(version, None, station.disconnect("gone", self._now_unix_us))
            self._connect(station, version)
        elif choice < 0.5:
            evse_id = rng.choice([1, 2, *[evse for evse in station.state.evses if evse > 0][:3]])
            command = SetPower(evse_id, rng.choice([-5.0, 0.0, 7.0]), 60, "a test")
            self._hold(version, None, station.set_power(command, self._now_unix_us))
        else:
            self._hold(version, None, station.tick(self._now_unix_us))

    def _retire(self, version: Version) -> None:
        """Hold a station's memory to its bound, and begin with a new one."""
        station = self._stations[version]
        size_bytes = len(msgspec.json.encode(station.state)) + len(station.ladder.export())
        self.largest_state_bytes = max(self.largest_state_bytes, size_bytes)
        assert size_bytes <= STATE_BYTES_MAX, (version, size_bytes)
        self._stations[version] = self._station(version)

    def _throw(self, version: Version, data: str | bytes) -> None:
        self._now_unix_us += 100_000
        begun_s = time.process_time()
        step = self._stations[version].receive(data, self._now_unix_us)
        took_s = time.process_time() - begun_s
        self.slowest_s = max(self.slowest_s, took_s)
        try:
            assert took_s < FRAME_S_MAX, took_s
            self._hold(version, wire.read_frame(data), step)
        except Exception as fault:
            fault.add_note(f"{version.value}: {data!r}"[:3000])
            if not self.keep_going:
                raise
            self.findings.setdefault(f"{version.value} {type(fault).__name__} {fault}"[:150], fault)

    def _hold(self, version: Version, read: wire.Frame | None, step: Step) -> None:
        """Hold a step to the standard."""
        if step.fault is not None:
            raise step.fault
        answers = []
        for frame in step.frames:
            message = json.loads(frame)
            if message[0] == 2:
                messages.check_request(version, message[2], message[3])
                self.counts["asked"] += 1
            else:
                answers.append(message)
        assert len(answers) <= (read is not None), answers
        if isinstance(read, wire.CallFrame):
            assert answers, "a call without an answer"
            assert answers[0][0] in {3, 4}
            assert answers[0][1] == read.message_id
        for message in answers:
            self._hold_answer(version, read, message)
        if not answers:
            self.counts["unanswered"] += 1
        for event in step.events:
            assert events.decode(events.encode(event)) == event
        self.counts["events"] += len(step.events)

    def _hold_answer(self, version: Version, read: wire.Frame | None, message: list[Any]) -> None:
        if message[0] == 3:
            assert isinstance(read, wire.CallFrame)
            messages.check_response(version, read.action, message[2])
            self.counts["results"] += 1
            return
        number, _, code, description, details = message
        assert number == 4 or (number == 5 and version is Version.V21), message
        assert code in _CODES_OF[version], message
        assert code != "InternalError", message
        assert len(description) <= 255
        assert isinstance(details, dict)
        self.counts[code] += 1


def _examples(version: Version, rng: Random) -> list[tuple[str, dict[str, Any]]]:
    """Valid requests; those that chargers send are there most."""
    sent = v2.HANDLERS if version.is_2 else v16.HANDLERS
    often = {"TransactionEvent", "MeterValues", "StartTransaction", "StatusNotification"}
    return [
        (action, example(version, action, "request", rng, share=rng.choice([0, 0.3, 0.6, 1])))
        for action in sorted(actions(version, "request"))
        for _ in range(EXAMPLES * (1 + 3 * (action in sent) + 8 * (action in often)))
    ]


def _broken(text: str, rng: Random) -> str | bytes:
    """The text with a few bytes changed, missing, doubled or foreign."""
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                data[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[place : place + rng.choice([1, 1, 5, 100])]
            case 2:
                data[place:place] = data[place : place + rng.choice([1, 10, 100])]
            case 3:
                data[place:place] = rng.choice(_BITS).encode()
            case 4:
                del data[place:]
            case _:
                data[place:place] = bytes(rng.randrange(256) for _ in range(3))
        if not data:
            break
    return bytes(data) if rng.random() < 0.7 else data.decode(errors="replace")


def memory_mb() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main(arguments: Sequence[str]) -> None:
    """Run, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.io.ocpp.fuzz")
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    fuzz = Fuzz(chosen.seed)
    fuzz.keep_going = True
    fuzz.run(min(chosen.frames, 50_000))
    before_mb, begun_s = memory_mb(), time.perf_counter()
    fuzz.run(max(0, chosen.frames - FIRST))
    grown_mb = memory_mb() - before_mb
    took_s = time.perf_counter() - begun_s
    state_kb = fuzz.largest_state_bytes / 1024
    lines = [
        f"{chosen.frames} frames, those after the first {FIRST} in {took_s:.0f} s",
        f"slowest frame {fuzz.slowest_s * 1e3:.1f} ms, largest state {state_kb:.0f} kB",
        f"memory {memory_mb():.0f} MB, grown by {grown_mb:.1f} MB after the first {FIRST} frames",
        str(dict(fuzz.counts.most_common())),
        *("".join(traceback.format_exception(fault)[-3:]) for fault in fuzz.findings.values()),
        f"{len(fuzz.findings)} kinds of faults found",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(bool(fuzz.findings))


if __name__ == "__main__":
    main(sys.argv[1:])
