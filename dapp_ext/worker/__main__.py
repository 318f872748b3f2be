"""``python -m dapp_ext.worker``. A file of this name is the one program that multiprocessing does not load into every job's process again."""

from __future__ import annotations

import sys

from dapp_ext.worker import main

if __name__ == "__main__":
    sys.exit(main())
