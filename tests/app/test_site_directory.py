"""The folder of a site's data and the token in it: private, and never a token that anybody can guess."""

from pathlib import Path

import pytest

from parkwatt.app.site_directory import make_private, make_token, read_token
from parkwatt.domain.errors import InputError


def test_a_folder_and_a_token_are_their_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "above" / "data"
    make_private(directory)
    make_private(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    token = make_token(directory / "api-token")
    assert (directory / "api-token").stat().st_mode & 0o777 == 0o600
    assert len(token) >= 40
    assert make_token(directory / "api-token") == read_token(directory / "api-token") == token


def test_a_folder_that_cannot_be_is_a_fault_of_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"store\.directory: cannot be made"):
            make_private(directory)


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"two words " * 5, b"\xff" * 40])
def test_a_file_without_a_token_lets_nobody_in(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "api-token"
    path.write_bytes(content)
    path.chmod(0o600)
    for use in (make_token, read_token):
        with pytest.raises(InputError, match="token"):
            use(path)


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "api-token"
    make_token(path)
    path.chmod(0o640)
    with pytest.raises(InputError, match="owner alone: chmod 600"):
        make_token(path)
