"""`python -m parkwatt.app.web`: started by `parkwatt up`, told by one line on its standard input."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from parkwatt.app.logs import set_up_logs
from parkwatt.app.web.settings import WebStart


def main() -> int:
    """Serve the pages until the parent goes. 2: the address cannot be listened on."""
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=WebStart)
    set_up_logs(start.log_format, "warning")
    # NiceGUI would keep what it stores in the working folder; nothing is stored.
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(Path(tempfile.gettempdir(), "parkwatt-web")))
    from parkwatt.app.web.server import serve_pages

    try:
        asyncio.run(serve_pages(start))
    except OSError as error:
        place = f"{start.host}:{start.port}"
        print(f"web.listen: cannot be listened on: {error.strerror}: {place}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
