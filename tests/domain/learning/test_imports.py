"""The package is light until something is trained or loaded."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("sklearn", "lightgbm", "pandas", "scipy", "skops", "skrub", "pyarrow", "numpy")


def test_importing_the_names_loads_nothing_heavy() -> None:
    code = f"import sys, dapp_ext.domain.learning as l; l.Recipe(target='a'); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import dapp_ext.domain.learning as learning

    assert all(getattr(learning, name) is not None for name in learning.__all__)
