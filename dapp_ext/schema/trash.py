"""What was deleted and can still be brought back."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request

TrashKind = Literal["dataset", "model", "insight"]


class TrashPut(Request):
    """Delete something so that it can be brought back for a day."""

    kind: TrashKind
    ref: str = Field(min_length=1, max_length=300, description="Id or name of what is deleted.")


class TrashRead(Answer):
    """Something deleted: nobody sees it any more, and until ``until`` it can be brought back as it was."""

    id: str = Field(description="The id of the dataset, model or insight; it has the same when it is back.")
    kind: TrashKind
    name: str
    owner: Named
    by: Named
    deleted_at: datetime
    until: datetime
