"""Imported by the fork server, so that a job's process begins with everything loaded."""

from __future__ import annotations

import dapp_ext.domain.profiling
import dapp_ext.domain.reading
import dapp_ext.domain.reading.columnar
import dapp_ext.domain.reading.csv
import dapp_ext.domain.reading.json
import dapp_ext.services.children
import dapp_ext.services.work
import dapp_ext.store.frames  # noqa: F401
from dapp_ext.domain.learning import preload

preload()
