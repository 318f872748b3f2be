"""Accounts, their sessions, refresh tokens, tickets, and how often signing in failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, func, select

from dapp_ext.schema.base import now
from dapp_ext.store.tables import Account, LoginFailure, RefreshToken, SignIn, Ticket


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
    return session.exec(select(func.count()).select_from(Account).where(Account.role == "admin", col(Account.disabled).is_(False))).one()


def live_session(session: Session, session_id: str) -> tuple[SignIn, Account] | None:
    """The session and its account, if both still count."""
    return _live(session, SignIn.id == session_id)


def session_of_cookie(session: Session, cookie_hash: str) -> tuple[SignIn, Account] | None:
    return _live(session, SignIn.cookie_hash == cookie_hash)


def _live(session: Session, condition: object) -> tuple[SignIn, Account] | None:
    query = (
        select(SignIn, Account)
        .where(SignIn.account_id == Account.id)
        .where(condition)  # type: ignore[arg-type]
        .where(col(SignIn.revoked_at).is_(None), col(SignIn.expires_at) > now(), col(Account.disabled).is_(False))
    )
    return session.exec(query).first()


def revoke(session: Session, session_id: str) -> None:
    session.connection().execute(update(SignIn).where(col(SignIn.id) == session_id, col(SignIn.revoked_at).is_(None)).values(revoked_at=now()))


def revoke_all(session: Session, account_id: str, but: str | None = None) -> None:
    """End every session of an account, except one."""
    session.connection().execute(
        update(SignIn).where(col(SignIn.account_id) == account_id, col(SignIn.id) != (but or ""), col(SignIn.revoked_at).is_(None)).values(revoked_at=now())
    )


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


def clear_failures(session: Session, key: str) -> None:
    session.connection().execute(delete(LoginFailure).where(col(LoginFailure.key) == key))


def sweep(session: Session, before: datetime) -> None:
    """Drop tickets and refresh tokens that ended before a moment."""
    session.connection().execute(delete(Ticket).where(col(Ticket.expires_at) < before))
    ended = select(SignIn.id).where(col(SignIn.expires_at) < before)
    session.connection().execute(delete(RefreshToken).where(col(RefreshToken.session_id).in_(ended)))
