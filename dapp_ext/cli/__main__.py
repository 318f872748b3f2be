"""``python -m dapp_ext.cli``, the same as ``jupyter dapp``."""

from __future__ import annotations

import sys

from dapp_ext.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
