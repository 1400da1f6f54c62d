"""A webhook on a free port of this machine, in a thread of its own: keeps what it is told, and answers as a test says."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hook:
    """``titles``, ``bodies``: of all that was taken. ``status``: what it answers; ``hold``: cleared, nobody gets one."""

    url: str = ""
    status: int = 200
    titles: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    asked_count: int = 0
    hold: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def webhook() -> Iterator[Hook]:
    """A hook that runs within the context."""
    hook = Hook()
    hook.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.asked_count += 1
            hook.hold.wait(30.0)
            if hook.status == 200:
                said = json.loads(body)
                hook.titles.append(said["title"])
                hook.bodies.append(said["message"])
            self.send_response(hook.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"json://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
