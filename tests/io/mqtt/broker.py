"""A real broker (rumqttd, in a process of its own) on a free port, and a publisher beside it."""

from __future__ import annotations

import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
from iotcore import Broker

_CONFIG = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v4.1]
name = "v4"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
{tls}
[v4.1.connections]
connection_timeout_ms = 5000
max_payload_size = 1048576
max_inflight_count = 100
{auth}
"""


def free_port() -> int:
    """A port on which nothing listens, below those that systems give to whoever asks for any.

    A broker that comes back wants its own again, and meanwhile no connection may have been given it.
    """
    while True:
        port = random.randrange(20_000, 30_000)  # noqa: S311 no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class TestBroker:
    """The broker. ``users``: who may connect, with what password; none: anybody."""

    __test__ = False

    def __init__(
        self,
        folder: Path,
        users: dict[str, str] | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.port = free_port()
        auth = "".join(f'{name} = "{password}"\n' for name, password in (users or {}).items())
        tls = ""
        if certificate is not None:
            tls = f'[v4.1.tls]\ncertpath = "{certificate[0]}"\nkeypath = "{certificate[1]}"\n'
        config = folder / f"broker-{self.port}.toml"
        config.write_text(
            _CONFIG.format(
                port=self.port, tls=tls, auth=f"[v4.1.connections.auth]\n{auth}" if auth else ""
            ),
            encoding="utf-8",
        )
        self._broker = Broker(port=self.port, listen="127.0.0.1", config_path=str(config))

    def start(self) -> None:
        """Listen; anew after `stop`, with nothing kept."""
        self._broker.start()

    def stop(self) -> None:
        """End the process."""
        self._broker.stop()

    def freeze(self) -> None:
        """Let it keep its connections and do nothing: what a machine does that lost its power, as its peers see it."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        process = self._broker._process
        assert process is not None
        os.kill(process.pid, number)

    async def publish(self, *messages: tuple[str, str | bytes], retain: bool = False) -> None:
        """Publish as another client."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            for topic, payload in messages:
                await client.publish(topic, payload, qos=1, retain=retain)


@contextmanager
def running(folder: Path, users: dict[str, str] | None = None) -> Iterator[TestBroker]:
    """A broker that runs."""
    broker = TestBroker(folder, users)
    broker.start()
    try:
        yield broker
    finally:
        broker.thaw()
        broker.stop()
