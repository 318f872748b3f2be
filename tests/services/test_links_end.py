"""Links and tickets into an account end with everything that ends its sessions or changes what it may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dapp_ext.errors import NotSignedIn
from dapp_ext.schema.accounts import AccountUpdate, Actor, LoginRequest, PasswordChange, Role
from dapp_ext.schema.signins import LinkAccept
from dapp_ext.services import Services
from dapp_ext.services.known_tokens import Entry
from tests.conftest import PASSWORD

Person = Callable[[str, Role], Actor]
Change = Callable[[Services, Actor, Actor], object]
NEW = "quite other words 99"
HERE = Entry("api", "127.0.0.1", "")


def _disabled_and_back(services: Services, owner: Actor, ada: Actor) -> None:
    services.accounts.update(owner, ada.account_id, AccountUpdate(disabled=True))
    services.accounts.update(owner, ada.account_id, AccountUpdate(disabled=False))


CHANGES: dict[str, Change] = {
    "password": lambda services, owner, ada: services.accounts.set_password(ada, PasswordChange(current_password=PASSWORD, new_password=NEW)),
    "shell": lambda services, owner, ada: services.accounts.reset_password(owner, ada.email, NEW),
    "reset": lambda services, owner, ada: services.invitations.reset(owner, ada.account_id),
    "disabled": _disabled_and_back,
    "role": lambda services, owner, ada: services.accounts.update(owner, ada.account_id, AccountUpdate(role=Role.viewer)),
    "own end": lambda services, owner, ada: services.signins.end_all(ada),
    "end by an administrator": lambda services, owner, ada: services.signins.end_all(owner, ada.account_id),
}


@pytest.fixture
def ada(services: Services, person: Person) -> Actor:
    """Signed in, with the session that survives what she changes herself."""
    person("ada", Role.analyst)
    pair = services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    return services.accounts.authenticate(pair.access_token)


@pytest.mark.parametrize("name", CHANGES)
def test_tickets_end_with_what_ends_sessions(services: Services, owner: Actor, ada: Actor, name: str) -> None:
    printed = services.accounts.signin_link(ada.email, "dashboard").ticket
    lab = services.accounts.signin_link(ada.email, "jupyterlab").ticket
    handed_over = services.accounts.issue_ticket(ada, "dashboard").ticket
    socket = services.accounts.issue_ticket(ada, "websocket").ticket
    others = services.accounts.signin_link(None, "dashboard").ticket
    CHANGES[name](services, owner, ada)
    for ticket in (printed, handed_over):
        with pytest.raises(NotSignedIn):
            services.accounts.enter_browser(ticket)
    with pytest.raises(NotSignedIn):
        services.accounts.redeem_ticket(lab, "jupyterlab")
    with pytest.raises(NotSignedIn):
        services.accounts.redeem_ticket(socket, "websocket")
    assert services.accounts.enter_browser(others)[1].email == owner.email
    fresh = services.accounts.signin_link(ada.email, "dashboard").ticket
    assert services.accounts.enter_browser(fresh)[1].email == ada.email


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in ("password", "own end")])
def test_a_link_to_a_new_password_ends_as_well(services: Services, owner: Actor, ada: Actor, name: str) -> None:
    link = services.invitations.reset(owner, ada.account_id).token
    assert services.invitations.offer(link).email == ada.email
    CHANGES[name](services, owner, ada)
    with pytest.raises(NotSignedIn):
        services.invitations.offer(link)
    with pytest.raises(NotSignedIn):
        services.invitations.accept(LinkAccept(token=link, password=NEW), HERE)


def test_another_name_or_quota_ends_nothing(services: Services, owner: Actor, ada: Actor) -> None:
    printed = services.accounts.signin_link(ada.email, "dashboard").ticket
    services.accounts.update(owner, ada.account_id, AccountUpdate(name="Ada L.", role=Role.analyst, quota=10))
    assert services.accounts.enter_browser(printed)[1].email == ada.email


def test_a_ticket_of_a_browser_is_good_once(services: Services, owner: Actor) -> None:
    ticket = services.accounts.signin_link(None, "dashboard").ticket
    cookie, actor = services.accounts.enter_browser(ticket, address="127.0.0.1")
    assert services.accounts.browser_session(cookie).session_id == actor.session_id
    with pytest.raises(NotSignedIn):
        services.accounts.enter_browser(ticket)
    with pytest.raises(NotSignedIn):
        services.accounts.enter_browser(services.accounts.signin_link(None, "jupyterlab").ticket)
