"""How quickly doors answer, told from process to process."""

from __future__ import annotations

import os
import stat

from dapp_ext.services.pace import Pace
from dapp_ext.settings import Settings


def test_figures_are_for_the_own_account_whatever_the_umask(settings: Settings) -> None:
    before = os.umask(0)
    try:
        pace = Pace(settings)
        pace.note("api", 0.2)
    finally:
        os.umask(before)
    (path,) = settings.run_folder.glob("*.pace")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.door for each in pace.read()] == ["api"]
    pace.close()
    assert not path.exists()
