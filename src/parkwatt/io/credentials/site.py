"""The site's authority, made when it is first needed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from parkwatt.io.credentials.authority import (
    CERTIFICATE_FILE,
    Authority,
    create_authority,
    open_authority,
)


def site_authority(folder: Path, site: str, now: datetime) -> Authority:
    """The authority in ``folder``, a new one where there is none.

    Raises InputError where there is one that cannot be used.
    """
    if (folder / CERTIFICATE_FILE).exists():
        return open_authority(folder)
    return create_authority(folder, site, now)
