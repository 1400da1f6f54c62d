"""`parkwatt notify test`: a test to each address, who took it, and no secret on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.cli import main
from tests.app.api.live_served import SITE_TOML
from tests.app.notices.hook import webhook


def site(folder: Path, *people: str) -> str:
    """A site's file with these people."""
    path = folder / "site.toml"
    path.write_text(SITE_TOML + "\n".join(people), encoding="utf-8")
    return str(path)


def person(name: str, url: str, language: str = "en") -> str:
    """Somebody."""
    return f'[[notify.person]]\nname = "{name}"\nlanguage = "{language}"\nurls = ["{url}"]\n'


def test_each_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with webhook() as ada, webhook() as ben:
        ben.status = 403
        secret = ben.url.replace("json://", "json://ben:secret@")
        path = site(tmp_path, person("Ada", ada.url, "de"), person("Ben", secret))
        assert main(["notify", "test", path]) == 1
        first, second = capsys.readouterr().out.splitlines()
        assert first.startswith("✓ Ada: json://127.0.0.1")
        assert first.endswith("took it")
        assert second.startswith("✗ Ben: json://ben:****@127.0.0.1")
        assert "403" in second
        assert "secret" not in second
        assert ada.titles == ["Parkwatt: eine Probe"]
        assert "So sagt Parkwatt Ada" in ada.bodies[0]
        assert main(["notify", "test", path, "--person", "Ada"]) == 0
        assert len(ada.titles) == 2


@pytest.mark.parametrize(
    ("people", "options", "told"),
    [
        ("", [], "notify: must name somebody: [[notify.person]]"),
        (
            person("Ada", "json://localhost"),
            ["--person", "Eve"],
            "--person: must be one of Ada, got 'Eve'",
        ),
    ],
)
def test_nobody(
    tmp_path: Path,
    people: str,
    options: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["notify", "test", site(tmp_path, people), *options]) == 2
    assert capsys.readouterr().err.strip() == told
