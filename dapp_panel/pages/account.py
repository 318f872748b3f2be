"""Account: the own profile and password."""

from __future__ import annotations

from dapp_ext.schema.accounts import PasswordChange
from dapp_panel.pages.asking import Call, Nothing, call

CALLS: dict[str, Call] = {
    "account.me": call(Nothing, lambda services, actor, _: services.accounts.me(actor)),
    "account.password": call(PasswordChange, lambda services, actor, asked: services.accounts.set_password(actor, asked)),
}
