"""A link fed with bytes by hand, over a socket pair."""

import asyncio
import socket

from parkwatt.io.ocpp.server.rates import TokenBucket
from parkwatt.io.ocpp.server.settings import ListenerSettings
from parkwatt.io.ocpp.server.websocket import Surroundings, WebSocketLink
from tests.io.ocpp.server.charging_station import request


def deliver(pieces: list[bytes]) -> list[bytes]:
    """The frames that a link delivers when these pieces come after its handshake."""
    return asyncio.run(_deliver(pieces))


async def _deliver(pieces: list[bytes]) -> list[bytes]:
    loop = asyncio.get_running_loop()
    frames: list[bytes] = []
    around = Surroundings(
        settings=ListenerSettings(frames_burst=10_000),
        loop=loop,
        frames_in_all=TokenBucket(1e6, 1e6, loop.time()),
        on_made=lambda _: True,
        on_request=lambda link, asked: link.answer(link.machine.accept(asked)),
        on_lost=lambda _: None,
    )
    ours, theirs = socket.socketpair()
    link = WebSocketLink(around)
    link.listen(frames.append, lambda _: None)
    transport, _ = await loop.connect_accepted_socket(lambda: link, ours)
    link.data_received(request("CS001"))
    for piece in pieces:
        link.data_received(piece)
    transport.abort()
    theirs.close()
    await asyncio.sleep(0)
    return frames
