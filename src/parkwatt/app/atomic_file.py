"""Writing a file whole or not at all.

The text goes to a new file in the same folder, which then takes the place of the old one in a single step (POSIX
rename(2), `os.replace`): a reader, a full disk or a stop in between never leaves half a file under the name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from parkwatt.domain.errors import InputError, InputFault

_MODE_OF_NEW_FILES = 0o644  # a temporary file is private by default; a report is to be read


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text stream (UTF-8, lines end in \\n) that becomes ``path`` when the block ends without an error.

    Missing folders are made. Raises `InputError` where the file cannot be written; ``path`` is then as it was.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            yield stream
        temporary.chmod(_MODE_OF_NEW_FILES)
        temporary.replace(path)
    except OSError as error:
        rule = f"cannot be written: {error.strerror or error}"
        raise InputError([InputFault(str(path), rule)]) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
