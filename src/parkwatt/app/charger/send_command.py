"""`parkwatt send`: one checked command to one charger."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from parkwatt.app.subcommand import Subparsers, add_command

REFUSED = 1

_DESCRIPTION = """\
Sends one command to one charger of a running server and prints the answer. The command is checked first: against
the schema of the charger's version of OCPP, and for what would hurt (a negative limit to a charger that may take it
for full power, a limit beside a set-point, discharging without consent). It is journalled as sent by hand.

COMMAND is an OCPP message (Reset, GetVariables, ChangeAvailability, SetDERControl, …) with its fields as
name=value or as JSON, or one of Parkwatt's own:
  set-power KW     hold a power, in the way the charger has proved to follow: positive charges, negative discharges
  release-power    end that: the charger charges for its driver
  forget-rung      let the charger prove anew what it can

exit code: 0 accepted, 1 the charger refused or did not answer, 2 the command breaks a rule"""

_EXAMPLES = """\
  parkwatt send home.toml CP-1 set-power -3.5 --lease 600
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
    from parkwatt.app.api.client import Client, charger_path, load_settings

    client = Client(load_settings(arguments.site))
    if arguments.command in _OWN:
        return _own(client, arguments)
    import json

    answer = client.send(
        "POST",
        charger_path(arguments.charger_id, "calls"),
        {
            "action": arguments.command,
            "payload": _payload(arguments),
            "timeout_s": arguments.timeout,
        },
        timeout_s=arguments.timeout + 10.0,
    )
    if answer["error"]:
        print(f"{answer['error']}: {answer['description']}".rstrip(": "))
        return REFUSED
    print(json.dumps(answer["payload"], indent=2, ensure_ascii=False))
    return 0 if answer["status"] in {"", "Accepted"} else REFUSED


def _own(client: Any, arguments: argparse.Namespace) -> int:
    from parkwatt.app.api.client import charger_path
    from parkwatt.app.charger.details import evse_lines
    from parkwatt.domain.errors import InputError, InputFault

    evse = ("evses", str(arguments.evse))
    if arguments.command == "set-power":
        try:
            (text,) = arguments.fields
            power_kw = float(text)
        except ValueError as error:
            given = " ".join(arguments.fields)
            raise InputError(
                [InputFault("set-power", "must be followed by the power in kW", given)]
            ) from error
        body = {"power_kw": power_kw, "lease_s": arguments.lease, "reason": "sent by hand"}
        view = client.send("PUT", charger_path(arguments.charger_id, *evse, "setpoint"), body)
    elif arguments.command == "release-power":
        view = client.send("DELETE", charger_path(arguments.charger_id, *evse, "setpoint"))
    else:
        view = client.send("DELETE", charger_path(arguments.charger_id, *evse, "rung"))
    print("\n".join(evse_lines(view)))
    return 0


def _payload(arguments: argparse.Namespace) -> dict[str, Any]:
    """The payload of the fields, or as given.

    Raises InputError where it is no JSON object or a field has no name.
    """
    import json

    from parkwatt.domain.errors import InputError, InputFault

    if arguments.payload is not None:
        try:
            payload = json.loads(arguments.payload)
        except ValueError as error:
            raise InputError(
                [InputFault("--payload", f"must be JSON ({error})", arguments.payload)]
            ) from error
        if not isinstance(payload, dict):
            raise InputError([InputFault("--payload", "must be a JSON object", arguments.payload)])
        return payload
    built: dict[str, Any] = {}
    for text in arguments.fields:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError([InputFault("FIELD", "must be name=value", text)])
        place = built
        *above, last = name.split(".")
        for step in above:
            place = place.setdefault(step, {})
        place[last] = _value(value)
    return built


def _value(text: str) -> object:
    """A number, true, false, null or JSON where it reads as one, else the text."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
