"""`parkwatt send`: one checked command to one charger."""

from __future__ import annotations

import argparse
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.app.api.client import Client

REFUSED = 1
_WANTS_TEXT = "must be a string"

_DESCRIPTION = """\
Sends one command to one charger of a running server and prints the answer. The command is checked first: against
the schema of the charger's version of OCPP, and for what would hurt (a negative limit to a charger that may take it
for full power, a limit beside a set-point, discharging without consent). It is journalled as sent by hand.

COMMAND is an OCPP message (Reset, GetVariables, ChangeAvailability, SetDERControl, …) with its fields as
name=value or as JSON, or one of Parkwatt's own:
  set-power KW     hold a power, in the way the charger has proved to follow: positive charges, negative discharges
  release-power    end that: the charger charges for its driver
  forget-rung      let the charger prove anew what it can

exit code: 0 accepted, 1 the charger refused or did not answer, 2 the command breaks a rule, 3 no server answers, or
the charger is unknown or not connected"""

_EXAMPLES = """\
  parkwatt send home.toml CP-1 set-power -5 --lease 600
  parkwatt send home.toml CP-1 Reset type=Immediate
  parkwatt send home.toml CP-1 ChangeConfiguration key=HeartbeatInterval value=60
  parkwatt send home.toml CP-1 TriggerMessage --payload '{"requestedMessage": "MeterValues"}'"""

_OWN = ("set-power", "release-power", "forget-rung")


def register(subparsers: Subparsers) -> None:
    """Add `send` to the command line."""
    parser = add_command(
        subparsers,
        "send",
        run,
        summary="send one checked command to a charger",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("charger_id", metavar="ID", help="the charger's identity")
    parser.add_argument(
        "command",
        metavar="COMMAND",
        help="an OCPP message, or set-power, release-power, forget-rung",
    )
    parser.add_argument(
        "fields", metavar="FIELD", nargs="*", help="name=value; a dot goes deeper: evse.id=1"
    )
    parser.add_argument("--payload", metavar="JSON", help="the whole payload instead of fields")
    parser.add_argument(
        "--evse", type=int, default=1, metavar="N", help="connection point (default 1)"
    )
    parser.add_argument(
        "--curve",
        metavar="HZ=KW,…",
        help="with set-power: power that the charger adds of its own by frequency, "
        "as in 49.8=-5,50=0,50.2=5",
    )
    parser.add_argument(
        "--lease",
        type=int,
        default=600,
        metavar="S",
        help="seconds that set-power holds (default 600)",
    )
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="for the answer (default 30)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Send. Raises InputError for what breaks a rule, ServerUnreachableError, ServerRefusedError."""
    from parkwatt.app.api.client import Client, load_settings

    client = Client(load_settings(arguments.site))
    if arguments.command in _OWN:
        return _own(client, arguments)
    import json

    answer = _call(client, arguments)
    if answer["error"]:
        print(printable(f"{answer['error']}: {answer['description']}".rstrip(": ")))
        return REFUSED
    print(json.dumps(answer["payload"], indent=2))
    return 0 if answer["status"] in {"", "Accepted"} else REFUSED


def _call(client: Client, arguments: argparse.Namespace) -> Any:
    """Send an OCPP message; what the server takes for a broken rule was not sent to the charger."""
    from parkwatt.app.api.client import charger_path
    from parkwatt.domain.errors import InputError

    def ask(texts: frozenset[str]) -> Any:
        body = {
            "action": arguments.command,
            "payload": _payload(arguments, texts),
            "timeout_s": arguments.timeout,
        }
        path = charger_path(arguments.charger_id, "calls")
        return client.send("POST", path, body, timeout_s=arguments.timeout + 10.0)

    try:
        return ask(frozenset())
    except InputError as error:
        # `value=60` reads as a number; where the message wants a text, it is one.
        texts = frozenset(fault.field for fault in error.faults if fault.rule == _WANTS_TEXT)
        if arguments.payload is not None or not texts:
            raise
        return ask(texts)


def _curve(text: str | None) -> list[dict[str, float]] | None:
    """The points of a frequency curve; raises InputError where one is no pair of numbers."""
    from parkwatt.domain.errors import InputError, InputFault

    if text is None:
        return None
    points = []
    for pair in text.split(","):
        frequency, _, power = pair.partition("=")
        try:
            points.append({"frequency_hz": float(frequency), "power_kw": float(power)})
        except ValueError as error:
            rule = "must be pairs of Hz and kW, as in 49.8=-5,50=0,50.2=5"
            raise InputError([InputFault("--curve", rule, text)]) from error
    return points


def _own(client: Client, arguments: argparse.Namespace) -> int:
    from parkwatt.app.api.client import charger_path
    from parkwatt.app.charger.details import evse_details
    from parkwatt.domain.errors import InputError, InputFault

    evse = ("evses", str(arguments.evse))
    if arguments.fields and arguments.command != "set-power":
        given = " ".join(arguments.fields)
        raise InputError([InputFault(arguments.command, "takes no field", given)])
    if arguments.command == "set-power":
        try:
            (text,) = arguments.fields
            power_kw = float(text)
            if not isfinite(power_kw):
                raise ValueError  # noqa: TRY301 told as any other text that is no power
        except ValueError as error:
            given = " ".join(arguments.fields)
            raise InputError(
                [InputFault("set-power", "must be followed by the power in kW", given)]
            ) from error
        body = {
            "power_kw": power_kw,
            "lease_s": arguments.lease,
            "reason": "sent by hand",
            "frequency_curve": _curve(arguments.curve),
        }
        view = client.send("PUT", charger_path(arguments.charger_id, *evse, "setpoint"), body)
    elif arguments.command == "release-power":
        view = client.send("DELETE", charger_path(arguments.charger_id, *evse, "setpoint"))
    else:
        view = client.send("DELETE", charger_path(arguments.charger_id, *evse, "rung"))
    print(evse_details(view))
    return 0


def _payload(arguments: argparse.Namespace, texts: frozenset[str]) -> dict[str, Any]:
    """The payload of the fields, or as given. ``texts``: fields whose value is taken as it stands.

    Raises InputError where it is no JSON object, or a field has no name or no place.
    """
    from parkwatt.domain.errors import InputError, InputFault

    if arguments.payload is not None:
        payload = _json(arguments.payload)
        if not isinstance(payload, dict):
            raise InputError([InputFault("--payload", "must be a JSON object", arguments.payload)])
        return payload
    built: dict[str, Any] = {}
    for text in arguments.fields:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError([InputFault("FIELD", "must be name=value", text)])
        place: Any = built
        *above, last = name.split(".")
        for step in above:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise InputError([InputFault(name, f"'{step}' has a value already", text)])
        read = None if name in texts else _json(value)
        place[last] = value if read is None and value != "null" else read
    return built


def _json(text: str) -> object:
    """What the text means as JSON; None where it is none, or a number that JSON does not know."""
    import json

    def unknown(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=unknown)
    except (ValueError, RecursionError):
        return None
