"""One simulated time for two processes: a master, and a follower that may be killed and started again.

Each runs on a `WarpLoop`. The follower moves only as far as the master grants; the master moves only when both are quiet:

    master   -- (until, serial) -->   follower     run until then, and say so once you are quiet
    master   <-- (next, serial) --    follower     quiet; my next timer is at `next`

The follower answers when it has done everything up to the grant and nothing is ready. Sockets on the loopback interface
deliver within the call that sends: what it sent lies in the master's sockets before its answer, and what the master sent was
there before the grant. So if the master had nothing to do between a grant and its answer, nothing is under way; else it grants
the same time once more, to hear of what came of it. Without a follower the master runs as fast as it can.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import Callable

from parkwatt.io.clock.pace import Mover, Pace, Ready

_MESSAGE = struct.Struct("<dq")


class GrantedPace(Pace):
    """A follower's pace. ``begin_s``: the time at which its loop has to begin."""

    def __init__(self, control: socket.socket) -> None:
        """Wait for the first grant on a connection to the master."""
        first = control.recv(_MESSAGE.size, socket.MSG_WAITALL)
        if len(first) < _MESSAGE.size:
            raise ConnectionError("the master ended before it granted any time")
        self.begin_s, self._serial = _MESSAGE.unpack(first)
        self._until_s = self.begin_s
        self._answered_serial = self._serial - 1
        self._control = control
        self._buffer = b""

    @classmethod
    def connect(cls, port: int) -> GrantedPace:
        """Follow the master that listens on this port of this machine. Raises OSError where there is none."""
        control = socket.create_connection(("127.0.0.1", port))
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(control)

    def began(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to the master on this loop."""
        self._control.setblocking(False)
        loop.add_reader(self._control, _nothing)

    def noticed(self, mover: Mover, ready: Ready) -> None:
        """Move on at once with a grant: what the master sent after it is of that time. A grant skips no timer."""
        if any(key.fd == self._control.fileno() for key, _ in ready):
            self._read()
            mover.move_to(self._until_s)

    def pass_time(self, mover: Mover, next_s: float | None) -> Ready:
        """Move within the grant; at its end tell the master, and wait for it or for work."""
        if next_s is not None and next_s <= self._until_s:
            mover.move_to(next_s)
            return []
        mover.move_to(self._until_s)
        if self._answered_serial < self._serial:
            self._answered_serial = self._serial
            _send(self._control, math.inf if next_s is None else next_s, self._serial)
        return mover.poll(None)

    def _read(self) -> None:
        received = self._control.recv(4096)
        if not received:
            raise SystemExit("the master of the simulated time is gone")
        self._buffer += received
        whole = len(self._buffer) // _MESSAGE.size * _MESSAGE.size
        for until_s, serial in _MESSAGE.iter_unpack(self._buffer[:whole]):
            self._until_s, self._serial = max(self._until_s, until_s), serial
        self._buffer = self._buffer[whole:]


class MasterPace(Pace):
    """The master's pace: free, but with `follow` also the follower's time is waited for.

    ``on_gone``: called once for each follower whose process has ended, however it did.
    """

    def __init__(self, on_gone: Callable[[], None] | None = None) -> None:
        self.on_gone = on_gone
        self._loop: asyncio.AbstractEventLoop | None = None
        self._control: socket.socket | None = None
        self._serial = 0
        self._answer: tuple[float, int] = (-math.inf, -1)
        self._had_work = True
        self._buffer = b""

    @property
    def has_follower(self) -> bool:
        """Whether a process follows."""
        return self._control is not None

    def began(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run on this loop."""
        self._loop = loop

    def follow(self, control: socket.socket) -> None:
        """Let the process at the other end follow from now on; it is waited for."""
        if self._loop is None or self._control is not None:
            raise ValueError("a master's loop has one follower")
        control.setblocking(False)
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._control, self._buffer = control, b""
        self._loop.add_reader(control, self._read)
        self._grant(self._loop.time())

    def leave(self) -> None:
        """Run without a follower."""
        control, self._control = self._control, None
        if control is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(control)
            control.close()

    def noticed(self, mover: Mover, ready: Ready) -> None:  # noqa: ARG002 its own time stands
        """Whatever is ready but the follower's answer is work that may make work for the follower."""
        control = self._control
        if control is None or any(key.fd != control.fileno() for key, _ in ready):
            self._had_work = True

    def pass_time(self, mover: Mover, next_s: float | None) -> Ready:
        """Move on once both are quiet."""
        if self._control is None:
            if next_s is None:
                return mover.poll(None)
            mover.move_to(next_s)
            return []
        next_of_follower_s, serial = self._answer
        if serial == self._serial:
            if self._had_work:
                self._grant(mover.now_s)
            else:
                until_s = min(next_of_follower_s, math.inf if next_s is None else next_s)
                if not math.isinf(until_s):
                    mover.move_to(until_s)
                    self._grant(until_s)
                    if next_s is not None and next_s <= until_s:
                        self._had_work = True
                        return []
        return mover.poll(None)

    def _grant(self, until_s: float) -> None:
        self._serial += 1
        self._had_work = False
        if self._control is not None:
            _send(self._control, until_s, self._serial)

    def _read(self) -> None:
        control = self._control
        if control is None:
            return
        try:
            received = control.recv(4096)
        except ConnectionError:
            received = b""
        if not received:
            self.leave()
            if self.on_gone is not None:
                self.on_gone()
            return
        self._buffer += received
        whole = len(self._buffer) // _MESSAGE.size * _MESSAGE.size
        for answer in _MESSAGE.iter_unpack(self._buffer[:whole]):
            self._answer = answer
        self._buffer = self._buffer[whole:]


def _nothing() -> None:
    """What there is to read was read before."""


def _send(control: socket.socket, at_s: float, serial: int) -> None:
    # A message of 16 bytes always fits; whoever is gone is noticed by the reader.
    with contextlib.suppress(ConnectionError):
        control.send(_MESSAGE.pack(at_s, serial))
