"""The one door: typed, synchronous services over the rules and the stores. Every visitor opens it here.

What it offers is loaded when it is first asked for: the process of a job lives in this folder too, and needs no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dapp_ext.services.backups import restore_backup, verify_backup
    from dapp_ext.services.events import Subscription
    from dapp_ext.services.files import Download
    from dapp_ext.services.opening import Services, database_state, open_services, restore_keys
    from dapp_ext.services.system import WorkerKeeper
    from dapp_ext.services.uploads import Upload
    from dapp_ext.store.backups import BackupKey

__all__ = [
    "BackupKey",
    "Download",
    "Services",
    "Subscription",
    "Upload",
    "WorkerKeeper",
    "database_state",
    "open_services",
    "restore_backup",
    "restore_keys",
    "verify_backup",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.opening"), name)
