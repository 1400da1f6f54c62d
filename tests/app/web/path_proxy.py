"""A reverse proxy that serves a site's pages under a path, as nginx or Caddy would: prefix off, headers on, bytes through."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HEAD_END = b"\r\n\r\n"


@contextmanager
def path_proxy(port: int, prefix: str) -> Iterator[str]:
    """Serve what listens on ``port`` under ``prefix``; the address with the prefix."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, port, prefix), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}{prefix}"


def _accept(server: socket.socket, port: int, prefix: str) -> None:
    with suppress(OSError):  # closed at the end
        while True:
            client, _ = server.accept()
            threading.Thread(target=_serve, args=(client, port, prefix), daemon=True).start()


def _serve(client: socket.socket, port: int, prefix: str) -> None:
    """One request; a socket that is upgraded goes on."""
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", port)) as site:
        head = b""
        while _HEAD_END not in head:
            part = client.recv(65536)
            if not part:
                return
            head += part
        head, _, body = head.partition(_HEAD_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, version = first.split(" ")
        if not path.startswith(prefix):
            client.sendall(
                b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            return
        upgraded = any(line.lower().startswith("upgrade:") for line in lines)
        kept = [line for line in lines if upgraded or not line.lower().startswith("connection:")]
        added = [f"X-Forwarded-Prefix: {prefix}", *([] if upgraded else ["Connection: close"])]
        asked = "\r\n".join(
            [f"{method} {path.removeprefix(prefix) or '/'} {version}", *kept, *added]
        )
        site.sendall(asked.encode("latin-1") + _HEAD_END + body)
        threading.Thread(target=_pipe, args=(client, site), daemon=True).start()
        _pipe(site, client)


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
