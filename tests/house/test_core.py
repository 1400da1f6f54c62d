"""A home's install works without the extras: what it runs imports none of their packages."""

import subprocess
import sys

_WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"llvmlite", "numba", "ray", "pandas", "pvlib"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Without())
import parkwatt.app.api.application
import parkwatt.app.cli
import parkwatt.app.demo.live
import parkwatt.app.serve.run
import parkwatt.app.up.run

parkwatt.app.cli.build_parser()
"""


def test_a_home_needs_no_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
