"""Fixes: what a finding offers to do about itself, and doing it to a table that is read in parts.

A fix is planned from the profile and, where it must know all values (a median, which rows repeat), from single columns;
then it is applied to one part of the table after the other. Whatever it changes, it says.
"""

from __future__ import annotations

from dapp_ext.domain.fixes.offers import Asked, offer, resolve, with_offers
from dapp_ext.domain.fixes.planning import Fix, Table, plan

__all__ = ["Asked", "Fix", "Table", "offer", "plan", "resolve", "with_offers"]
