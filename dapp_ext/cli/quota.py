"""``jupyter dapp quota``: what each account stores, and how much it may."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Invalid
from dapp_ext.schema.accounts import AccountUpdate

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


def quota(
    email: Annotated[str | None, typer.Argument(help="Whose; everybody's is listed when left out.")] = None,
    size: Annotated[str | None, typer.Option("--set", help="Bytes that may be stored, such as 20G; “none” for any amount, “default” for DAPP_QUOTA.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show or set how much accounts may store."""
    if size is not None and email is None:
        raise Invalid("Say whose quota to set: jupyter dapp quota EMAIL --set SIZE")
    with session.services() as services:
        actor = services.system.shell_actor()
        account = services.accounts.find(actor, email) if email is not None else None
        if size is not None and account is not None:
            services.accounts.update(actor, account.id, AccountUpdate(quota=_bytes(size)))
        found = [each for each in services.accounts.quotas(actor).items if account is None or each.account.id == account.id]
    rows = [each.model_dump(mode="json") for each in found]
    shown = [
        {
            "email": each.email,
            "used": _text(each.used),
            "may": "any amount" if each.quota is None else _text(each.quota),
            "from": "own" if each.is_own else "default",
        }
        for each in found
    ]
    session.show(rows, as_json, session.as_table(shown, ["email", "used", "may", "from"]))


def _bytes(text: str) -> int | None:
    if text.strip().lower() == "default":
        return None
    if text.strip().lower() == "none":
        return 0
    found = _SIZE.fullmatch(text.strip())
    if found is None or not (size := int(float(found[1]) * _UNITS[found[2].upper()])):
        raise Invalid(f"{text!r} is no size. Write it like 500M or 20G, or none, or default.")
    return size


def _text(size: int) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}"
        size //= 1024
    return f"{size:,.0f} TiB"
