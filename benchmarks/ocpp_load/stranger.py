"""The baseline: a central system of the `ocpp` package, as its example is, with a handler for TransactionEvent.

python -m benchmarks.ocpp_load.stranger PORT
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import uvloop
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call_result
from ocpp.v201.enums import Action, RegistrationStatusEnumType
from websockets.asyncio.server import ServerConnection, serve

logging.disable(logging.CRITICAL)


class Charger(ChargePoint):  # type: ignore[misc]
    """One link."""

    @on(Action.boot_notification)  # type: ignore[untyped-decorator]
    def on_boot(self, **_: Any) -> Any:
        """Accept."""
        return call_result.BootNotification(
            current_time=datetime.now(UTC).isoformat(),
            interval=300,
            status=RegistrationStatusEnumType.accepted,
        )

    @on(Action.transaction_event)  # type: ignore[untyped-decorator]
    def on_transaction_event(self, **_: Any) -> Any:
        """Acknowledge, and store nothing."""
        return call_result.TransactionEvent()


async def _connected(connection: ServerConnection) -> None:
    path = connection.request.path if connection.request else "/"
    await Charger(path.strip("/"), connection).start()


async def main(port: int) -> None:
    """Serve until killed."""
    async with serve(_connected, "0.0.0.0", port, subprotocols=["ocpp2.0.1"]):  # type: ignore[list-item]  # noqa: S104
        print("ready", flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
