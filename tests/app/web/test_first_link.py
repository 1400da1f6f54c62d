"""The first start: it prints the link that makes its owner, and no later one does once there is one."""

from __future__ import annotations

import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.app.web.browsing import COOKIE, PATIENCE_S, SITE, free_port

# So soon after the address the link would come.
_MORE_S = 1.0
_PARKWATT = Path(sys.executable).with_name("parkwatt")


@contextmanager
def started(path: Path) -> Iterator[str]:
    """What `parkwatt up` printed once its pages are there."""
    command = [str(_PARKWATT), "up", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    said, deadline_s = "", time.monotonic() + PATIENCE_S
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while "The page is at" not in said or selector.select(_MORE_S):
                assert selector.select(deadline_s - time.monotonic()), said
                said += process.stdout.read1().decode()  # type: ignore[attr-defined]
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def _new_link(path: Path) -> str:
    """The code of another link for the owner."""
    command = [str(_PARKWATT), "access", str(path), "link"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S).stdout
    found = re.search(rb"link=(\S+)", printed)
    assert found is not None
    return found[1].decode()


def test_the_first_start_makes_an_owner_by_the_link_that_it_prints(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    fixed = SITE.replace(
        '[api]\nlisten = "127.0.0.1:0"', f'[api]\nlisten = "127.0.0.1:{free_port()}"'
    )
    path.write_text(f'{fixed}\n[web]\nlisten = "127.0.0.1:{free_port()}"\n', encoding="utf-8")
    with started(path) as said:
        found = re.search(r"link, once: (http://\S+)/welcome\?link=(\S+)\n", said)
        assert found is not None, said
        url, code = found.groups()
        assert (
            httpx.get(f"{url}/welcome?link={code}").status_code == 200
        )  # a preview uses nothing up
        answers = [httpx.post(f"{url}/sign-in", data={"link": code}) for _ in range(2)]
        assert [answer.headers["location"] for answer in answers] == [
            "/",
            "/sign-in?why=link&next=/",
        ]
        cookies = {COOKIE: answers[0].cookies[COOKIE]}
        assert httpx.get(f"{url}/", cookies=cookies).status_code == 200
        for forged in ("ü", '"a\\015\\012X-Evil: 1"', "a b", "x" * 5000):
            cookie = f"{COOKIE}={forged}".encode()
            shown = httpx.get(f"{url}/", headers=[(b"Cookie", cookie)])
            assert shown.status_code == 303, (forged, shown.text)
        # The cookie of before is worth nothing once somebody signs in over it.
        again = _new_link(path)
        over = httpx.post(f"{url}/sign-in", data={"link": again}, cookies=cookies)
        assert httpx.get(f"{url}/", cookies=cookies).status_code == 303
        cookies = {COOKIE: over.cookies[COOKIE]}
    with started(path) as said:
        assert "welcome" not in said
        assert httpx.get(f"{url}/", cookies=cookies).status_code == 200
