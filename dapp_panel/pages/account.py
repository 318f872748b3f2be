"""Account: the own profile, password, sessions and personal access tokens."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.accounts import PasswordChange, ProfileChange
from dapp_ext.schema.base import Request
from dapp_ext.schema.signins import TokenCreate
from dapp_panel.pages.asking import Call, Nothing, One, call


class Whose(Request):
    """The own account, or another one for administrators."""

    account: str | None = Field(default=None, max_length=100)


CALLS: dict[str, Call] = {
    "account.me": call(Nothing, lambda services, actor, _: services.accounts.me(actor)),
    "account.profile": call(ProfileChange, lambda services, actor, asked: services.accounts.change_profile(actor, asked)),
    "account.usage": call(Nothing, lambda services, actor, _: services.datasets.usage(actor)),
    "account.password": call(PasswordChange, lambda services, actor, asked: services.accounts.set_password(actor, asked)),
    "sessions.list": call(Whose, lambda services, actor, asked: services.signins.sessions(actor, asked.account)),
    "sessions.end": call(One, lambda services, actor, asked: services.signins.end(actor, asked.ref)),
    "sessions.end_others": call(Nothing, lambda services, actor, _: services.signins.end_all(actor)),
    "tokens.list": call(Nothing, lambda services, actor, _: services.signins.tokens(actor)),
    "tokens.create": call(TokenCreate, lambda services, actor, asked: services.signins.create_token(actor, asked)),
    "tokens.end": call(One, lambda services, actor, asked: services.signins.end_token(actor, asked.ref)),
}
