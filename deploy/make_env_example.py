"""Prints ``.env.example``: every setting with its help, default and unit, made from the settings themselves."""

from __future__ import annotations

import sys

from dapp_ext.settings import describe_settings

HEAD = """\
# Every setting of DAPP. Copy this file to .env and take the # away from what you change.
# Made by deploy/make_env_example.py; a test compares both.

# -- for docker-compose.yml -------------------------------------------------------------------------------------------
# The address that people use; the proxy's certificate is for its host name.
DAPP_PUBLIC_URL=https://dapp.example.org
# What opens JupyterLab; make one with: openssl rand -hex 24
JUPYTER_TOKEN=
# Where sealed objects are kept; an S3 storage also needs AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, unless it is
# Amazon's, AWS_ENDPOINT_URL.
#DAPP_STORAGE_URL=s3://bucket/dapp

# -- all settings -----------------------------------------------------------------------------------------------------
"""
# Filled in by DAPP itself.
INTERNAL = ("encryption_source",)


def text() -> str:
    """The whole file."""
    parts = [HEAD]
    for each in describe_settings():
        if each["name"] not in INTERNAL:
            unit = f" In {each['unit']}." if each["unit"] else ""
            parts.append(f"# {each['help']}{unit}\n#{each['variable']}={each['default']}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(text())
