"""Read-only links: one result or one insight, for whoever holds the link, until it expires or is withdrawn."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.insights import InsightRead, TableRead
from dapp_ext.schema.models import ModelRead, Results


class ShareCreate(Request):
    """Make a link to the result of a model, or to an insight: one of the two is named."""

    model: str | None = Field(
        default=None, min_length=1, max_length=300, description="Id or name of the model; the link stays with the version that it names now."
    )
    insight: str | None = Field(default=None, min_length=1, max_length=300, description="Id of the insight.")
    days: int = Field(default=14, ge=1, le=365, description="How long the link opens it, in days.")


class ShareRead(Answer):
    """One link, without what opens it."""

    id: str
    model: Named | None = None
    model_version: int | None = None
    insight: Named | None = Field(default=None, description="The insight, with its title as name.")
    by: Named
    created_at: datetime
    expires_at: datetime
    opened: int = Field(default=0, description="How often it was opened.")
    opened_at: datetime | None = None


class ShareMade(ShareRead):
    """A new link; its token is told this once. The dashboard answers at ``/shared/<token>``, and ``url`` says where when it is known."""

    token: str
    url: str | None = None


class SharedResult(Answer):
    """What a link opens: a result, read only."""

    model: ModelRead
    results: Results
    by: Named
    expires_at: datetime


class SharedInsight(Answer):
    """What a link opens: an insight as it was published, read only; the picture is a PNG."""

    insight: InsightRead
    picture: bytes | None = None
    table: TableRead | None = None
    by: Named
    expires_at: datetime
