"""One message to one address, by apprise. Blocks for seconds: called from a thread of its own."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from parkwatt.domain.errors import ParkwattError

if TYPE_CHECKING:
    from apprise import Apprise

_LINES_MAX = 2
_TARGET_DIGITS = 16


class DeliveryError(ParkwattError):
    """A message was not taken; it says why in words, without secrets."""


def is_address(url: str) -> bool:
    """Whether apprise can send to it: its kind is known, and nothing is missing in it."""
    import apprise

    # Why it cannot is told by whoever asked, without the secrets that the address may hold.
    with apprise.LogCapture(level=logging.CRITICAL):
        return apprise.Apprise.instantiate(url, suppress_exceptions=True) is not None


def shown(url: str) -> str:
    """The address without its secrets."""
    import apprise

    found = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    return (
        url.partition(":")[0] if found is None else str(found.url(privacy=True)).partition("?")[0]
    )


def target(url: str) -> str:
    """A short name for an address that tells nothing of it: for files."""
    return hashlib.sha256(url.encode()).hexdigest()[:_TARGET_DIGITS]


def deliver(url: str, title: str, body: str, *, urgent: bool = False) -> None:
    """Send it. Raises DeliveryError where it was not taken."""
    import apprise

    sender = _sender(url)
    kind = apprise.NotifyType.WARNING if urgent else apprise.NotifyType.INFO
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as told:
        try:
            taken = sender.notify(
                body=body, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
            )
        except (
            Exception
        ) as error:  # of a hundred services' modules: whatever one raises, it was not sent
            raise DeliveryError(f"{type(error).__name__}: {error}") from error
        reasons = [line.strip() for line in told.getvalue().splitlines() if line.strip()]
    if not taken:
        raise DeliveryError("; ".join(reasons[-_LINES_MAX:]) or "it was not taken")


def _sender(url: str) -> Apprise:
    """A sender to one address that puts no picture or link of apprise's own into what it sends."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="Parkwatt",
        app_desc="Parkwatt",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
    )
    sender = apprise.Apprise(asset=asset)
    if not sender.add(url):
        raise DeliveryError(
            "apprise does not know this kind of address, or something is missing in it"
        )
    return sender
