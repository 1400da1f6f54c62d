"""What a running server does by itself."""

from pathlib import Path

from parkwatt.app.serve.duties import CredentialWatch
from parkwatt.io.credentials.store import CredentialStore


def test_changed_and_removed_credentials_are_told_once_and_new_ones_never(tmp_path: Path) -> None:
    path = tmp_path / "credentials.sqlite"
    with CredentialStore(path) as server, CredentialStore(path) as elsewhere:
        for charger_id in ("A", "B", "C", "D"):
            elsewhere.add(charger_id, 1, 0)
        watch = CredentialWatch(server)
        assert watch.changed() == []
        elsewhere.add("E", 1, 0)
        assert watch.changed() == []
        elsewhere.set_password("A")
        elsewhere.remove("B")
        elsewhere.set_profile("C", 2)
        server.set_disabled("E", disabled=True)
        assert watch.changed() == ["A", "B", "C", "E"]
        assert watch.changed() == []
