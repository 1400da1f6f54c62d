"""Fetching a page: whatever a server does, a page or a fault in words comes back in bounded time and memory."""

import asyncio
import gzip
import ssl
import zlib
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.download import (
    BYTES_MAX,
    TOTAL_S,
    Page,
    SourceError,
    client_for,
    download,
    status_fault,
)
from tests.io.web_server import Answerer, Asked, Manner, Reply, web_server


def fetched(answer: Answerer, path: str = "/prices") -> tuple[Page, float]:
    """The page, and how many seconds it took."""

    async def story() -> tuple[Page, float]:
        loop = asyncio.get_running_loop()
        async with web_server(answer) as web, client_for(web.url)() as client:
            begin_s = loop.time()
            page = await download(client, client.build_request("GET", web.url + path), "the source")
            return page, loop.time() - begin_s

    return run_warped(story())


def refused(answer: Answerer) -> SourceError:
    """The fault."""
    with pytest.raises(SourceError) as caught:
        fetched(answer)
    return caught.value


def test_a_page_comes_as_it_is() -> None:
    page, _ = fetched(lambda _: Reply(b"prices", headers={"ETag": '"a"', "Last-Modified": "then"}))
    assert page == Page(200, b"prices", '"a"', "then")


def test_a_compressed_page_is_unpacked() -> None:
    page, _ = fetched(lambda _: Reply(b"prices" * 1000).packed())
    assert page.body == b"prices" * 1000


@pytest.mark.parametrize("manner", ["silent", "dripping"])
def test_a_server_that_does_not_finish_is_left_in_time(manner: Manner) -> None:
    async def story() -> float:
        loop = asyncio.get_running_loop()
        reply = Reply(b"x", manner=manner)
        async with web_server(lambda _: reply) as web, client_for(web.url)() as client:
            begin_s = loop.time()
            with pytest.raises(SourceError) as caught:
                await download(client, client.build_request("GET", web.url), "the source")
            assert caught.value.kind == "unreachable"
            return loop.time() - begin_s

    assert run_warped(story()) <= TOTAL_S


def test_a_page_without_end_is_cut_off() -> None:
    fault = refused(lambda _: Reply(b"x", manner="endless"))
    assert (fault.kind, fault.reason) == ("broken", "the source answers with more than 8 MB")


def test_a_small_page_that_unpacks_to_a_huge_one_is_cut_off() -> None:
    bomb = gzip.compress(b"\0" * (BYTES_MAX + 1))
    assert len(bomb) < BYTES_MAX / 100
    fault = refused(lambda _: Reply(bomb, headers={"Content-Encoding": "gzip"}))
    assert fault.kind == "broken"
    assert "8 MB" in fault.reason


def test_exactly_the_largest_page_is_taken() -> None:
    body = b"x" * BYTES_MAX
    assert len(fetched(lambda _: Reply(body).packed())[0].body) == BYTES_MAX
    assert len(fetched(lambda _: Reply(body))[0].body) == BYTES_MAX


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), "broken"),
        (Reply(b"x", headers={"Content-Encoding": "br"}), "broken"),
        (Reply(b"half", manner="cut"), "unreachable"),
        (Reply(manner="garbage"), "unreachable"),
        (Reply(status=302, headers={"Location": "/prices"}), "broken"),
        (Reply(status=302, headers={"Location": "ftp://127.0.0.1/"}), "unreachable"),
        (Reply(status=302, headers={"Location": "http://[::"}), "unreachable"),
    ],
)
def test_broken_answers_are_told(reply: Reply, kind: str) -> None:
    fault = refused(lambda _: reply)
    assert fault.kind == kind
    assert fault.reason.startswith("the source ")


def test_deflate_is_unpacked_too() -> None:
    body = zlib.compress(b"prices")
    page, _ = fetched(lambda _: Reply(body, headers={"Content-Encoding": "deflate"}))
    assert page.body == b"prices"


def test_a_redirect_is_followed() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/prices":
            return Reply(status=307, headers={"Location": "/elsewhere"})
        return Reply(b"here")

    assert fetched(answer)[0].body == b"here"


def test_nobody_there() -> None:
    async def story() -> SourceError:
        async with web_server(lambda _: Reply()) as web:
            url = web.url
        async with client_for(url)() as client:
            with pytest.raises(SourceError) as caught:
                await download(client, client.build_request("GET", url), "the source")
        return caught.value

    fault = asyncio.run(story())
    assert fault.kind == "unreachable"
    assert "cannot be reached" in fault.reason


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "999999999999"}, 86_400.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "Sun, 29 Mar 2026 01:10:00 GMT"}, None),
        (
            {
                "Retry-After": "Sun, 29 Mar 2026 01:10:00 GMT",
                "Date": "Sun, 29 Mar 2026 01:00:00 GMT",
            },
            600.0,
        ),
        (
            {
                "Retry-After": "Sun, 29 Mar 2026 00:10:00 GMT",
                "Date": "Sun, 29 Mar 2026 01:00:00 GMT",
            },
            0.0,
        ),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    page, _ = fetched(lambda _: Reply(status=429, headers=headers))
    fault = status_fault(page, "the source")
    assert (fault.kind, fault.retry_after_s) == ("busy", wait_s)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "refused"),
        (403, "refused"),
        (404, "absent"),
        (410, "absent"),
        (418, "broken"),
        (503, "unreachable"),
    ],
)
def test_what_a_status_means(status: int, kind: str) -> None:
    page, _ = fetched(lambda _: Reply(b"<html>", status=status))
    fault = status_fault(page, "the source")
    assert fault.kind == kind
    assert "the source" in fault.reason


def test_the_environments_proxies_are_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert fetched(lambda _: Reply(b"here"))[0].body == b"here"


def certificate(folder: Path) -> ssl.SSLContext:
    """For a server on this machine that speaks TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(pem))
    private.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return context


def test_a_detour_without_encryption_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with web_server(lambda _: Reply(b"prices")) as plain:
            detour = Reply(status=302, headers={"Location": plain.url})
            async with (
                web_server(lambda _: detour, certificate(tmp_path)) as web,
                httpx.AsyncClient(verify=False, follow_redirects=True, trust_env=False) as client,  # noqa: S501
            ):
                await download(client, client.build_request("GET", web.url), "the source")

    with pytest.raises(SourceError, match="without encryption"):
        asyncio.run(story())


def test_a_stranger_to_the_authorities_is_not_believed(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            web_server(lambda _: Reply(b"prices"), certificate(tmp_path)) as web,
            client_for(web.url)() as client,
        ):
            await download(client, client.build_request("GET", web.url), "the source")

    with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(story())
