"""The policy: a table, denied by default."""

from __future__ import annotations

import pytest

from dapp_ext.domain.access import POLICY, Scope, Thing, allowed, check, scope, token_scope
from dapp_ext.errors import DatasetNotFound, Denied
from dapp_ext.schema.accounts import Actor, Role, TokenScope


def _actor(role: Role, account_id: str = "me") -> Actor:
    return Actor(account_id=account_id, email="me@example.org", name="Me", role=role)


@pytest.mark.parametrize("role", list(Role))
def test_what_is_not_in_the_table_nobody_may_do(role: Role) -> None:
    assert not allowed(_actor(role), "dataset.burn", Thing("me"))


@pytest.mark.parametrize("verb", sorted(POLICY))
def test_a_higher_role_may_not_do_less(verb: str) -> None:
    viewer, analyst, admin = POLICY[verb]
    assert viewer <= analyst <= admin


@pytest.mark.parametrize(
    "verb",
    [
        verb
        for verb in sorted(POLICY)
        if verb.partition(".")[2] in ("create", "update", "delete", "train", "stop", "export", "cancel", "predict_batch") and not verb.startswith("token.")
    ],
)
def test_viewers_change_nothing_but_what_is_theirs(verb: str) -> None:
    assert scope(_actor(Role.viewer), verb) is Scope.nobody


def test_private_data_is_its_owners_even_before_an_admin() -> None:
    private = Thing("somebody", "private")
    assert not allowed(_actor(Role.admin), "dataset.read", private)
    assert allowed(_actor(Role.admin), "dataset.delete", private)
    assert allowed(_actor(Role.analyst, "somebody"), "dataset.read", private)


def test_what_one_may_not_know_of_is_not_found() -> None:
    with pytest.raises(DatasetNotFound):
        check(_actor(Role.analyst), "dataset.update", Thing("somebody", "private"), DatasetNotFound)
    with pytest.raises(Denied, match="owner"):
        check(_actor(Role.analyst), "dataset.update", Thing("somebody", "team"), DatasetNotFound)
    with pytest.raises(Denied, match="viewer"):
        check(_actor(Role.viewer), "dataset.create", None, DatasetNotFound)


def test_who_was_given_too_little_is_sent_to_the_owner() -> None:
    given = Thing("somebody", "private", "read")
    with pytest.raises(Denied, match=r"shared with you to read, and this \(dataset export\) takes a share to use"):
        check(_actor(Role.analyst), "dataset.export", given, DatasetNotFound)
    with pytest.raises(Denied, match="share to edit"):
        check(_actor(Role.analyst), "dataset.version", Thing("somebody", "team", "use"), DatasetNotFound)
    with pytest.raises(Denied, match="The role viewer"):
        check(_actor(Role.viewer), "dataset.export", Thing("somebody", "private", "edit"), DatasetNotFound)
    with pytest.raises(Denied, match="Only its owner"):
        check(_actor(Role.analyst), "dataset.delete", given, DatasetNotFound)


def _by_token(scope: TokenScope, role: Role = Role.admin) -> Actor:
    return _actor(role).model_copy(update={"scope": scope})


@pytest.mark.parametrize("verb", sorted(POLICY))
def test_a_token_can_do_no_more_than_its_person_and_no_more_than_a_wider_one(verb: str) -> None:
    scopes: list[TokenScope] = ["read", "predict", "write", "admin"]
    for role in Role:
        reach = [scope(_by_token(each, role), verb) for each in scopes]
        assert reach == sorted(reach)
        assert reach[-1] <= scope(_actor(role), verb)


@pytest.mark.parametrize(
    ("verb", "least"),
    [
        ("dataset.list", "read"),
        ("dataset.export", "read"),
        ("event.read", "read"),
        ("model.predict", "predict"),
        ("dataset.create", "write"),
        ("model.train", "write"),
        ("account.create", "admin"),
        ("audit.list", "admin"),
        ("invitation.create", "admin"),
        ("account.change_self", None),
        ("token.create", None),
        ("session.end", None),
        ("no.such", None),
    ],
)
def test_what_a_token_needs(verb: str, least: str | None) -> None:
    assert token_scope(verb) == least


def test_a_token_is_told_what_it_lacks() -> None:
    with pytest.raises(Denied, match="scope read"):
        check(_by_token("read"), "dataset.delete", None, DatasetNotFound)
