"""Messages that really arrive: at a webhook, at an ntfy server, as an e-mail; and what is said where they do not."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from parkwatt.io.notify import DeliveryError, deliver, is_address, shown, target
from tests.io.notify.mail_server import mail_server
from tests.io.web_server import Asked, Reply, web_server

TITLE, BODY = "Stromausfall", "Seit 14:03.\n→ Abschalten, was entbehrlich ist."


def fine(_: Asked) -> Reply:
    """Taken."""
    return Reply(b"{}")


def test_a_webhook() -> None:
    async def story() -> Asked:
        async with web_server(fine) as web:
            url = web.url.replace("http://", "json://") + "/hook"
            await asyncio.to_thread(deliver, url, TITLE, BODY, urgent=True)
            return web.asked[0]

    asked = asyncio.run(story())
    said = json.loads(asked.body)
    assert (asked.method, asked.path) == ("POST", "/hook")
    assert (said["title"], said["message"], said["type"]) == (TITLE, BODY, "warning")
    assert b"apprise" not in asked.body.lower()


def test_an_ntfy_server() -> None:
    async def story() -> Asked:
        async with web_server(fine) as web:
            url = web.url.replace("http://", "ntfy://") + "/home"
            await asyncio.to_thread(deliver, url, TITLE, BODY)
            return web.asked[0]

    asked = asyncio.run(story())
    told = json.loads(asked.body) if asked.body.startswith(b"{") else {}
    assert told.get("title") == TITLE
    assert told.get("message") == BODY
    assert b"github" not in asked.body


def test_a_mail() -> None:
    async def story() -> tuple[str, str, str]:
        async with mail_server() as mails:
            url = f"mailto://127.0.0.1:{mails.port}?from=home@example.net&to=ada@example.net&mode=insecure"
            await asyncio.to_thread(deliver, url, TITLE, BODY)
            mail = mails.mails[0]
            part = next(one for one in mail.walk() if one.get_content_type() == "text/plain")
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return str(mail["subject"]), str(mail["to"]), payload.decode()

    subject, to, text = asyncio.run(story())
    assert subject == TITLE
    assert "ada@example.net" in to
    assert "Abschalten, was entbehrlich ist." in text


def test_what_is_not_taken_says_why() -> None:
    async def story() -> None:
        async with web_server(lambda _: Reply(b"no", 403)) as web:
            url = web.url.replace("http://", "json://ada:secret@")
            with pytest.raises(DeliveryError) as caught:
                await asyncio.to_thread(deliver, url, TITLE, BODY)
            assert "403" in str(caught.value)
            assert "secret" not in str(caught.value)

    asyncio.run(story())


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(DeliveryError):
        deliver(f"json://127.0.0.1:{port}", TITLE, BODY)


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("json://localhost:8000/x", True),
        ("ntfys://home", True),
        ("mailto://ada:secret@example.net", True),
        ("carrier-pigeon://roof", False),
        ("tgram://", False),
        ("", False),
    ],
)
def test_addresses(url: str, known: bool) -> None:
    assert is_address(url) is known


def test_secrets_are_not_shown() -> None:
    url = "mailto://ada:secret@example.net"
    assert "secret" not in shown(url)
    assert "secret" not in target(url)
    assert target(url) != target("mailto://ada:other@example.net")
    assert shown("nonsense://secret") == "nonsense"
