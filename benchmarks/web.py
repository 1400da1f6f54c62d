"""The web page: how soon the first screen is there and what it weighs, and what fifty open pages cost the control's step.

`python -m benchmarks web`. A real `parkwatt up` in this process with a virtual charger and the pages in theirs; the first
screen in the system's Chromium; the fifty pages are kept open by sockets that do what a browser's would. The step is timed
where it is taken, and the loop's lag by a sleep that should take 10 ms.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import socketio

from benchmarks.harness import Figure
from parkwatt.app.live_settings import load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.run import site_control
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.site.live.controller import SiteController
from tests.app.web.browsing import COOKIE, PHONE, SITE, chromium, free_port
from tests.app.web.virtual_car import virtual_car

_PAGES = 50
_PHASE_S = 45.0
_LAG_S = 0.01
_CLIENT_ID = re.compile(r"""["']client_id["']: ["']([0-9a-f-]+)["']""")


def figures() -> list[Figure]:
    """First screen, then the step without and with pages."""
    return asyncio.run(_figures())


async def _figures() -> list[Figure]:
    set_up_logs("console", "error")
    with tempfile.TemporaryDirectory() as folder:
        path, ocpp_port = Path(folder, "site.toml"), free_port()
        text = SITE.replace(
            '[ocpp]\nlisten = "127.0.0.1:0"', f'[ocpp]\nlisten = "127.0.0.1:{ocpp_port}"'
        )
        path.write_text(f'{text}\n[web]\nlisten = "127.0.0.1:0"\n', encoding="utf-8")
        settings = load_live_settings(path)
        stopping, up, timing = asyncio.Event(), asyncio.Queue[str](), _Timing()
        loop = asyncio.get_running_loop()

        def told(line: str) -> None:
            loop.call_soon_threadsafe(up.put_nowait, line)

        serving = asyncio.create_task(
            serve(
                settings.serve,
                stopping,
                clock=SteadyClock(),
                control=site_control(settings),
                web=settings.web,
                on_start=lambda *_: None,
                on_pages=told,
            )
        )
        try:
            url = (await asyncio.wait_for(up.get(), 60)).removeprefix("The page is at ")
            token = settings.serve.store.token.read_text(encoding="utf-8").strip()
            with virtual_car(f"ws://127.0.0.1:{ocpp_port}"), timing:
                await asyncio.sleep(5.0)
                screen = await asyncio.to_thread(_first_screen, url, token)
                without = await timing.phase()
                async with AsyncExitStack() as stack:
                    await _open_pages(stack, url, token)
                    with_pages = await timing.phase()
        finally:
            stopping.set()
            await serving
        return [*screen, *_step_figures(without, with_pages)]


class _Timing:
    """Times each step of the control, and how late the loop wakes."""

    def __init__(self) -> None:
        self._taken_ms: list[float] = []
        self._step: Callable[..., Any] = SiteController.step

    def __enter__(self) -> _Timing:
        step, taken_ms = self._step, self._taken_ms

        def timed(controller: SiteController, *arguments: Any) -> Any:
            begun_s = time.perf_counter()
            try:
                return step(controller, *arguments)
            finally:
                taken_ms.append(1000.0 * (time.perf_counter() - begun_s))

        SiteController.step = timed  # type: ignore[method-assign,assignment]
        return self

    def __exit__(self, *_: object) -> None:
        SiteController.step = self._step  # type: ignore[method-assign]

    async def phase(self) -> tuple[list[float], list[float]]:
        """Steps and lags over a while, in ms."""
        del self._taken_ms[:]
        lags_ms, until_s = [], time.perf_counter() + _PHASE_S
        while (begun_s := time.perf_counter()) < until_s:
            await asyncio.sleep(_LAG_S)
            lags_ms.append(1000.0 * (time.perf_counter() - begun_s - _LAG_S))
        return list(self._taken_ms), lags_ms


def _step_figures(
    without: tuple[list[float], list[float]], with_pages: tuple[list[float], list[float]]
) -> list[Figure]:
    found = []
    for name, index in (("control step", 0), ("loop's lag", 1)):
        before, after = (float(np.percentile(phase[index], 99)) for phase in (without, with_pages))
        found.append(Figure(f"{name}, no page, 99th percentile", before, "ms", "", None))
        found.append(
            Figure(
                f"{name}, {_PAGES} open pages, 99th percentile",
                after,
                "ms",
                "against no page",
                after / before,
            )
        )
    return found


def _first_screen(url: str, token: str) -> list[Figure]:
    """In a browser that was never here, and in one that was."""
    found: list[Figure] = []
    sizes: list[float] = []
    with chromium() as browser:
        context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
        context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on(
            "Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"])
        )
        for name in ("cold", "again"):
            sizes.clear()
            begun_s = time.perf_counter()
            page.goto(url)
            page.locator(".say").filter(has_text="car").wait_for()
            taken_s = time.perf_counter() - begun_s
            page.wait_for_timeout(1000)
            kb = sum(sizes) / 1000.0
            found.append(Figure(f"first screen, {name}", taken_s, "s", "aim: 1.5 s", taken_s / 1.5))
            found.append(Figure(f"transferred, {name}", kb, "kB", "aim: 1000 kB", kb / 1000.0))
    return found


async def _open_pages(stack: AsyncExitStack, url: str, token: str) -> None:
    """Pages whose sockets stay open, as in fifty browsers."""
    cookie = {"Cookie": f"{COOKIE}={token}"}
    async with httpx.AsyncClient(headers=cookie, timeout=60.0) as http:
        for number in range(_PAGES):
            told = _CLIENT_ID.search((await http.get(url + "/")).text)
            if told is None:
                raise AssertionError("the page names no client")
            socket = socketio.AsyncClient(reconnection=False)
            stack.push_async_callback(socket.disconnect)
            await socket.connect(
                f"{url}?client_id={told[1]}",
                headers=cookie,
                transports=["websocket"],
                socketio_path="/_nicegui_ws/socket.io",
            )
            shaken = await socket.call(
                "handshake",
                {
                    "client_id": told[1],
                    "tab_id": f"tab-{number}",
                    "document_id": f"document-{number}",
                    "next_message_id": 0,
                },
            )
            if not shaken:
                raise AssertionError("the page's socket was refused")
