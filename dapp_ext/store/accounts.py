"""Accounts, their sessions, refresh tokens, tickets, and how often signing in failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, func, select

from dapp_ext.schema.base import now
from dapp_ext.store.tables import Account, Invitation, LoginFailure, RefreshToken, SignIn, Ticket


def by_email(session: Session, email: str) -> Account | None:
    return session.exec(select(Account).where(Account.email == email)).first()


def owner(session: Session) -> Account | None:
    """The account that the first start made."""
    return session.exec(select(Account).where(col(Account.is_owner).is_(True)).order_by(col(Account.created_at))).first()


def everyone(session: Session) -> list[Account]:
    return list(session.exec(select(Account).order_by(col(Account.created_at))))


def names(session: Session, ids: set[str]) -> dict[str, str]:
    """The display names of some accounts."""
    return {row.id: row.name for row in session.exec(select(Account).where(col(Account.id).in_(ids)))} if ids else {}


def enabled_admins(session: Session) -> int:
    """How many could administer the place. Within a change nobody else counts or changes them until it has ended."""
    return session.exec(select(func.count()).select_from(Account).where(Account.role == "admin", col(Account.disabled).is_(False))).one()


def live_session(session: Session, session_id: str) -> tuple[SignIn, Account] | None:
    """The session and its account, if both still count."""
    return _live(session, SignIn.id == session_id)


def session_of_cookie(session: Session, cookie_hash: str) -> tuple[SignIn, Account] | None:
    return _live(session, SignIn.cookie_hash == cookie_hash)


def session_of_token(session: Session, token_hash: str) -> tuple[SignIn, Account] | None:
    """The session of a personal access token."""
    return _live(session, SignIn.token_hash == token_hash)


def _live(session: Session, condition: object) -> tuple[SignIn, Account] | None:
    query = (
        select(SignIn, Account)
        .where(SignIn.account_id == Account.id)
        .where(condition)  # type: ignore[arg-type]
        .where(col(SignIn.revoked_at).is_(None), col(SignIn.expires_at) > now(), col(Account.disabled).is_(False))
    )
    return session.exec(query).first()


def live_sessions(session: Session, account_id: str) -> list[SignIn]:
    """Where an account is signed in, the latest use first; personal access tokens among them."""
    query = select(SignIn).where(SignIn.account_id == account_id, col(SignIn.revoked_at).is_(None), col(SignIn.expires_at) > now())
    return list(session.exec(query.order_by(col(SignIn.seen_at).desc())))


def known_addresses(session: Session, email: str, since: datetime) -> set[str]:
    """From where an account has signed in since a moment."""
    query = select(SignIn.address).where(SignIn.account_id == Account.id, Account.email == email, col(SignIn.created_at) >= since)
    return set(session.exec(query.distinct()))


def replace_hash(session: Session, account_id: str, old: str, new: str) -> None:
    """Put another hash of the same password in its place, unless the password was changed meanwhile."""
    session.connection().execute(update(Account).where(col(Account.id) == account_id, col(Account.password_hash) == old).values(password_hash=new))


def revoke(session: Session, session_id: str) -> None:
    session.connection().execute(update(SignIn).where(col(SignIn.id) == session_id, col(SignIn.revoked_at).is_(None)).values(revoked_at=now()))


def revoke_all(session: Session, account_id: str, but: str | None = None) -> None:
    """End every session of an account, except one."""
    live = update(SignIn).where(col(SignIn.account_id) == account_id, col(SignIn.id) != (but or ""), col(SignIn.revoked_at).is_(None))
    session.connection().execute(live.values(revoked_at=now()))


def win_refresh(session: Session, token_hash: str) -> bool:
    """Mark a refresh token used; ``True`` for the one caller that was first."""
    result = session.connection().execute(
        update(RefreshToken).where(col(RefreshToken.hash) == token_hash, col(RefreshToken.used_at).is_(None)).values(used_at=now())
    )
    return result.rowcount == 1


def win_ticket(session: Session, ticket_hash: str, purpose: str) -> Ticket | None:
    """Use up a ticket; ``None`` when it is unknown, used, too old or for something else."""
    result = session.connection().execute(
        update(Ticket)
        .where(col(Ticket.hash) == ticket_hash, col(Ticket.purpose) == purpose, col(Ticket.used_at).is_(None), col(Ticket.expires_at) > now())
        .values(used_at=now())
    )
    return session.get(Ticket, ticket_hash) if result.rowcount == 1 else None


def failures(session: Session, key: str) -> LoginFailure | None:
    return session.get(LoginFailure, key)


def count_failure(session: Session, key: str, *, forget_before: datetime) -> None:
    """One more failure; those that are long past do not count any more."""
    row = session.get(LoginFailure, key) or LoginFailure(key=key)
    row.count = 1 if row.last_at < forget_before else row.count + 1
    row.last_at = now()
    session.add(row)


def take_back_failure(session: Session, key: str) -> None:
    """One failure less: what was counted in advance was none."""
    session.connection().execute(update(LoginFailure).where(col(LoginFailure.key) == key, col(LoginFailure.count) > 0).values(count=LoginFailure.count - 1))


def clear_failures(session: Session, key: str) -> None:
    session.connection().execute(delete(LoginFailure).where(col(LoginFailure.key) == key))


def win_invitation(session: Session, link_hash: str) -> Invitation | None:
    """Use up a link; ``None`` when it is unknown, used, withdrawn or too old."""
    open_one = update(Invitation).where(col(Invitation.hash) == link_hash, *_open())
    result = session.connection().execute(open_one.values(used_at=now()))
    return session.exec(select(Invitation).where(Invitation.hash == link_hash)).first() if result.rowcount == 1 else None


def open_invitation(session: Session, link_hash: str) -> Invitation | None:
    """The link, as long as it can be used."""
    return session.exec(select(Invitation).where(Invitation.hash == link_hash, *_open())).first()


def open_invitations(session: Session) -> list[Invitation]:
    """Invitations that wait for their person, newest first; links to a new password are not among them."""
    return list(session.exec(select(Invitation).where(col(Invitation.account_id).is_(None), *_open()).order_by(col(Invitation.created_at).desc())))


def withdraw_invitations(session: Session, email: str) -> None:
    """Earlier links for the same address open nothing any more."""
    session.connection().execute(update(Invitation).where(col(Invitation.email) == email, *_open()).values(withdrawn_at=now()))


def withdraw_invitations_of(session: Session, account_id: str) -> None:
    """The links that an account has made for others open nothing any more: it may have kept them, and one leads into any account."""
    session.connection().execute(update(Invitation).where(col(Invitation.invited_by) == account_id, *_open()).values(withdrawn_at=now()))


def end_links(session: Session, account_id: str) -> None:
    """Tickets, and links to a new password, that lead into an account open nothing any more."""
    session.connection().execute(update(Ticket).where(col(Ticket.account_id) == account_id, col(Ticket.used_at).is_(None)).values(used_at=now()))
    session.connection().execute(update(Invitation).where(col(Invitation.account_id) == account_id, *_open()).values(withdrawn_at=now()))


def _open() -> tuple[ColumnElement[bool], ...]:
    return (col(Invitation.used_at).is_(None), col(Invitation.withdrawn_at).is_(None), col(Invitation.expires_at) > now())


def sweep(session: Session, before: datetime) -> None:
    """Drop tickets, refresh tokens and counts of failures that ended before a moment."""
    session.connection().execute(delete(Ticket).where(col(Ticket.expires_at) < before))
    session.connection().execute(delete(LoginFailure).where(col(LoginFailure.last_at) < before))
    ended = select(SignIn.id).where(col(SignIn.expires_at) < before)
    session.connection().execute(delete(RefreshToken).where(col(RefreshToken.session_id).in_(ended)))
