"""Makes valid messages of every kind from the JSON schemas, and invalid ones from valid ones.

Reads the schemas on its own: nothing of the code under test but the file names is used.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from parkwatt.io.ocpp.messages.catalogue import Direction, actions
from parkwatt.io.ocpp.version import Version

FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}
DIRECTIONS: tuple[Direction, ...] = ("request", "response")
ALL_MESSAGES: tuple[tuple[Version, str, Direction], ...] = tuple(
    (version, action, direction)
    for version in Version
    for direction in DIRECTIONS
    for action in sorted(actions(version, direction))
)
_TEXT = "abcXYZ 019-_.äß€𝄞"


def generator(seed: int) -> Random:
    """A source of choices that makes the same ones again."""
    return Random(seed)  # noqa: S311 — no secret hangs on it


@cache
def schema(version: Version, action: str, direction: Direction) -> dict[str, Any]:
    """The message's JSON schema."""
    folder = files("ocpp").joinpath(FOLDERS[version], "schemas")
    suffixes = ("Request.json", ".json") if direction == "request" else ("Response.json",)
    for suffix in suffixes:
        if (document := folder.joinpath(action + suffix)).is_file():
            parsed: dict[str, Any] = json.loads(document.read_text("utf-8-sig"))
            return parsed
    raise KeyError(action)


def schema_without_multiples(version: Version, action: str, direction: Direction) -> dict[str, Any]:
    """The schema without `multipleOf`, which no binary fraction meets: it has tests of its own."""
    document = copy.deepcopy(schema(version, action, direction))
    _drop_multiples(document)
    return document


def _drop_multiples(node: Any) -> None:
    if isinstance(node, dict):
        node.pop("multipleOf", None)
        for inner in node.values():
            _drop_multiples(inner)


def example(
    version: Version, action: str, direction: Direction, rng: Random, *, share: float = 0.5
) -> dict[str, Any]:
    """A valid message. ``share`` of the optional fields is there: 0 for the least message, 1 for the fullest."""
    document = schema(version, action, direction)
    message: dict[str, Any] = _value(document, document, rng, share)
    return message


def _value(node: dict[str, Any], document: dict[str, Any], rng: Random, share: float) -> Any:
    if "$ref" in node:
        node = document["definitions"][node["$ref"].rsplit("/", 1)[1]]
    match node.get("type"):
        case "object":
            return _object(node, document, rng, share)
        case "array":
            least = node.get("minItems", 0)
            most = min(node.get("maxItems", least + 3), least + 3)
            count = rng.randint(max(least, 1 if share == 1 else 0), most)
            return [_value(node["items"], document, rng, share) for _ in range(count)]
        case "string":
            return _string(node, rng)
        case "integer":
            return rng.randint(*_bounds(node))
        case "number":
            low, high = _bounds(node)
            return rng.randint(low * 2, high * 2) / 2
        case "boolean":
            return rng.random() < 0.5
    return rng.choice(["any", 1, 2.5, True, {"a": [1]}, [{}]])


def _object(
    node: dict[str, Any], document: dict[str, Any], rng: Random, share: float
) -> dict[str, Any]:
    required = node.get("required", ())
    made = {
        name: _value(field, document, rng, share)
        for name, field in node.get("properties", {}).items()
        if name in required or rng.random() < share
    }
    if node.get("additionalProperties", True) and rng.random() < share:
        made["vendorsOwn"] = {"nested": [1, "two", None]}
    return made


def _string(node: dict[str, Any], rng: Random) -> str:
    if "enum" in node:
        value: str = rng.choice(node["enum"])
        return value
    if node.get("format") == "date-time":
        zone = rng.choice(["Z", "+01:00", "-05:30"])
        fraction = rng.choice(["", ".1", ".123", ".123456789"])
        day, hour = rng.randint(10, 28), rng.randint(10, 23)
        return f"20{rng.randint(10, 40)}-02-{day}T{hour}:59:00{fraction}{zone}"
    if node.get("format") == "uri":
        return "https://example.org/firmware?box=1"
    length = rng.choice([0, 1, 5, min(40, node.get("maxLength", 40)), node.get("maxLength", 7)])
    length = min(length, node.get("maxLength", length), 3000)
    return "".join(rng.choice(_TEXT) for _ in range(length))


def _bounds(node: dict[str, Any]) -> tuple[int, int]:
    low = node.get("minimum")
    high = node.get("maximum")
    if low is None:
        low = -100_000 if high is None else high - 1000
    if high is None:
        high = low + 200_000
    return int(low), int(high)


def mutated(message: dict[str, Any], rng: Random) -> dict[str, Any]:
    """The message with one to three changes anywhere in it, most of which break its schema."""
    changed = copy.deepcopy(message)
    for _ in range(rng.randint(1, 3)):
        container = rng.choice(list(_containers(changed)))
        if isinstance(container, dict):
            _mutate_object(container, rng)
        else:
            _mutate_list(container, rng)
    return changed


def _containers(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def _mutate_object(container: dict[str, Any], rng: Random) -> None:
    choice = rng.random()
    if choice < 0.15 or not container:
        container[rng.choice(["invented", "customdata", "x y"])] = _junk(rng)
        return
    key = rng.choice(list(container))
    if choice < 0.35:
        del container[key]
    else:
        container[key] = _changed(container[key], rng)


def _mutate_list(container: list[Any], rng: Random) -> None:
    choice = rng.random()
    if choice < 0.2:
        container.clear()
    elif choice < 0.4 and container:
        container.extend(copy.deepcopy(container[0]) for _ in range(rng.choice([1, 30, 1100])))
    elif container:
        container[rng.randrange(len(container))] = _junk(rng)
    else:
        container.append(_junk(rng))


def _changed(value: Any, rng: Random) -> Any:
    """Something near the value, or something else altogether."""
    if rng.random() < 0.3:
        return _junk(rng)
    if isinstance(value, str):
        return rng.choice([value + "x", value[:1000] * 400 + "y", value.lower(), value[:-1]])
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return rng.choice(
            [-value, value * 1e6, value + 0.5, str(value), value - 1000, float(value)]
        )
    return _junk(rng)


def _junk(rng: Random) -> Any:
    return rng.choice(
        [None, True, 0, -1, 7, 1.0, 2.5, 1e300, "", "12", "junk", "x" * 40, [], {}, [1], {"a": 1}]
    )
