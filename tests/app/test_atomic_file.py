"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.atomic_file import replacing


def test_old_file_stays_where_writing_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old", "utf-8")

    def broken_off() -> None:
        with replacing(path) as stream:
            stream.write("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_new_file_takes_the_place_and_others_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "report.html"
    with replacing(path) as stream:
        stream.write("new\n")
    assert path.read_bytes() == b"new\n"
    assert path.stat().st_mode & 0o044 == 0o044
