"""What a running server does by itself."""

from pathlib import Path

from parkwatt.app.serve.duties import CredentialWatch
from parkwatt.io.credentials.store import CredentialStore


def test_chargers_whose_credential_is_another_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "credentials.sqlite"
    with CredentialStore(path) as server, CredentialStore(path) as elsewhere:
        watch = CredentialWatch(server)
        for charger_id in ("A", "B", "C", "D", "E", "away"):
            elsewhere.add(charger_id, 1, 0)
        for charger_id in ("A", "B", "C", "D", "E", "without a credential"):
            watch.admitted(charger_id)
        assert watch.changed() == []
        elsewhere.set_password("A")
        elsewhere.remove("B")
        elsewhere.set_profile("C", 2)
        elsewhere.set_password("away")
        server.set_disabled("E", disabled=True)
        assert watch.changed() == ["A", "B", "C", "E"]
        assert watch.changed() == []
        watch.admitted("A")
        assert watch.changed() == []
