"""Everything that can go wrong, as one tree.

::

    DappError
    ├── Invalid                  the request cannot be understood or fulfilled as it stands
    │   ├── FileUnreadable       the uploaded bytes are not a table we can read
    │   ├── ColumnUnknown        a column is named that the dataset does not have
    │   ├── TargetUnusable       the chosen target cannot be learned
    │   ├── RowsMismatch         rows to predict do not fit what the model learned from
    │   ├── ModelTypeRefused     a pipeline holds types that are not on the allow-list
    │   ├── PasswordWeak         a new password is too short or too common
    │   ├── CursorInvalid        a feed or list cursor that was not given out by this instance
    │   ├── TooLarge             more bytes, rows or columns than the settings allow
    │   │   └── QuotaExceeded    more than this account may store
    │   ├── TooSlow              the body of a request did not come in time
    │   ├── Malformed            bytes that are not what they say: broken JSON, two credentials that differ
    │   ├── MediaUnsupported     a content type that this address does not take
    │   └── SettingInvalid       a setting has a value that cannot be used
    ├── NotSignedIn              no credential, or one that is not valid any more
    │   └── LoginRefused         wrong email or password (never says which)
    ├── Throttled                too many attempts; says when to come back
    ├── Denied                   signed in, but the role or grant does not allow it
    ├── NotFound
    │   ├── DatasetNotFound · ModelNotFound · JobNotFound · AccountNotFound · SignInNotFound · InsightNotFound · ShareNotFound
    │   └── RouteNotFound        no such address
    ├── MethodNotAllowed
    ├── Conflict                 true elsewhere already, or not possible in this state
    │   ├── NameTaken            the name is used by another dataset, model or account
    │   ├── NameAmbiguous        several people have shared a thing of that name
    │   ├── NotReady             the thing is still being processed or trained
    │   └── LastAdmin            would leave the workspace without an administrator
    ├── JobFailed                background work ended without a result
    │   ├── JobCancelled · WorkerLost · MemoryExceeded · TimeExceeded
    ├── Unavailable              a part of the platform is not reachable now; trying again may help
    │   ├── StorageFull          no room left on the device
    │   ├── Busy                 every place is taken right now
    │   └── MaintenanceOn        changes have to wait; says when to come back
    └── Broken                   our fault
        ├── IntegrityFailed      sealed bytes were changed, cut or belong elsewhere
        ├── KeyWrong             the key does not belong to this home folder
        └── Internal             anything unforeseen; the text never says more than its request id

Each class has a stable ``code`` (the contract with every client) and a default sentence. None of them knows
about HTTP, exit codes or notifications: each visitor maps the tree to its own medium in one table. The client
raises the same classes again by ``code``.
"""

from __future__ import annotations

from typing import Any, ClassVar

LONGEST_MESSAGE = 1_500  # characters


class DappError(Exception):
    """Root of all errors of the platform.

    Parameters
    ----------
    message : str, optional
        What happened and what to do, in plain words; the class's own sentence when left out.
    **details : Any
        JSON-serialisable facts for programs. Never values from anyone's data.
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something went wrong."

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = _fit(message or self.sentence)
        self.details: dict[str, Any] = details
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.details))


def _fit(message: str) -> str:
    """A sentence as long as somebody reads; what quotes an endless name keeps its beginning and its end."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 300]} … {message[-250:]}"


def _rebuild(cls: type[DappError], message: str, details: dict[str, Any]) -> DappError:
    return cls(message, **details)


class Invalid(DappError):
    code = "invalid"
    sentence = "The request cannot be fulfilled as it stands. Check the values and try again."


class FileUnreadable(Invalid):
    code = "file_unreadable"
    sentence = "The file could not be read as a table. Check that it is a CSV, Excel, Parquet or JSON file and upload it again."


class ColumnUnknown(Invalid):
    code = "column_unknown"
    sentence = "The dataset has no column of that name. Choose one of its columns."


class TargetUnusable(Invalid):
    code = "target_unusable"
    sentence = "This column cannot be predicted. Choose a column with at least two different values."


class RowsMismatch(Invalid):
    code = "rows_mismatch"
    sentence = "The rows do not fit the model. Give the columns that it was trained on."


class ModelTypeRefused(Invalid):
    code = "model_type_refused"
    sentence = "The pipeline holds types that are not allowed here."


class PasswordWeak(Invalid):
    code = "password_weak"
    sentence = "The password is too weak. Use at least 15 characters that are not a common phrase."


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    sentence = "The cursor was not given out by this workspace. Start again without a cursor."


class TooLarge(Invalid):
    code = "too_large"
    sentence = "This is larger than the workspace allows. Ask an administrator to raise the limit, or send less."


class QuotaExceeded(TooLarge):
    code = "quota_exceeded"
    sentence = "There is no room left in what your account may store. Delete something, or ask an administrator for more."


class TooSlow(Invalid):
    code = "too_slow"
    sentence = "The request did not come in time. Check the connection and send it again."


class Malformed(Invalid):
    code = "malformed"
    sentence = "The request could not be read. Check how it is written and send it again."


class MediaUnsupported(Invalid):
    code = "media_unsupported"
    sentence = "This address does not take that content type. The API is described at /dapp/docs."


class SettingInvalid(Invalid):
    code = "setting_invalid"
    sentence = "A setting has a value that cannot be used."


class NotSignedIn(DappError):
    code = "not_signed_in"
    sentence = "You are not signed in, or your sign-in has ended. Sign in again."


class LoginRefused(NotSignedIn):
    code = "login_refused"
    sentence = "Email or password is not right. Check both and try again."


class Throttled(DappError):
    code = "throttled"
    sentence = "Too many attempts. Wait a moment and try again."


class Denied(DappError):
    code = "denied"
    sentence = "Your role does not allow this. Ask an administrator if you need it."


class NotFound(DappError):
    code = "not_found"
    sentence = "There is no such thing here, or you may not see it."


class DatasetNotFound(NotFound):
    code = "dataset_not_found"
    sentence = "There is no such dataset, or it is not shared with you."


class ModelNotFound(NotFound):
    code = "model_not_found"
    sentence = "There is no such model, or it is not shared with you."


class JobNotFound(NotFound):
    code = "job_not_found"
    sentence = "There is no such job, or it is not yours."


class AccountNotFound(NotFound):
    code = "account_not_found"
    sentence = "There is no such account. The command jupyter dapp users list names them all."


class SignInNotFound(NotFound):
    code = "sign_in_not_found"
    sentence = "There is no such session or token, or it has ended already."


class InsightNotFound(NotFound):
    code = "insight_not_found"
    sentence = "There is no such insight, or it is not shared with you."


class ShareNotFound(NotFound):
    code = "share_not_found"
    sentence = "This link opens nothing any more: it has expired, was withdrawn, or what it showed is gone. Ask whoever sent it for a new one."


class RouteNotFound(NotFound):
    code = "route_not_found"
    sentence = "There is nothing at this address. The API is described at /dapp/docs."


class MethodNotAllowed(DappError):
    code = "method_not_allowed"
    sentence = "This address does not take that method. The API is described at /dapp/docs."


class Conflict(DappError):
    code = "conflict"
    sentence = "This is not possible in the present state."


class NameTaken(Conflict):
    code = "name_taken"
    sentence = "That name is taken. Choose another one."


class NameAmbiguous(Conflict):
    code = "name_ambiguous"
    sentence = "Several people have shared something of that name with you. Use its id."


class NotReady(Conflict):
    code = "not_ready"
    sentence = "This is still being worked on. Wait until it is ready."


class LastAdmin(Conflict):
    code = "last_admin"
    sentence = "This would leave the workspace without an administrator. Make someone else an administrator first."


class JobFailed(DappError):
    code = "job_failed"
    sentence = "The work could not be finished."


class JobCancelled(JobFailed):
    code = "job_cancelled"
    sentence = "The work was cancelled."


class WorkerLost(JobFailed):
    code = "worker_lost"
    sentence = "The work stopped again and again without an answer, so it was given up. Try smaller data, or ask an administrator to look at the worker's log."


class MemoryExceeded(JobFailed):
    code = "memory_exceeded"
    sentence = "The work needed more memory than allowed and was stopped. Try fewer rows or columns, or raise DAPP_JOB_MEMORY."


class TimeExceeded(JobFailed):
    code = "time_exceeded"
    sentence = "The work took longer than allowed and was stopped."


class Unavailable(DappError):
    code = "unavailable"
    sentence = "A part of the platform does not answer right now. Try again in a moment."


class StorageFull(Unavailable):
    code = "storage_full"
    sentence = "There is no room left on the device. Delete something or ask an administrator for more room."


class Busy(Unavailable):
    code = "busy"
    sentence = "Everything is busy right now. Try again in a moment."


class MaintenanceOn(Unavailable):
    code = "maintenance"
    sentence = "The platform is being maintained, so changes have to wait. Looking and predicting works. Try again later."


class Broken(DappError):
    code = "broken"
    sentence = "Something inside the platform is broken. An administrator finds the reason in the log."


class IntegrityFailed(Broken):
    code = "integrity_failed"
    sentence = "Stored data was changed or damaged and is not used. Restore it from a backup."


class KeyWrong(Broken):
    code = "key_wrong"
    sentence = "The encryption key does not belong to this home folder. Give the right key, or another DAPP_HOME."


class Internal(Broken):
    code = "internal"
    sentence = "Something unforeseen happened. Give the request id to an administrator, who finds the reason in the log."


def every_error() -> dict[str, type[DappError]]:
    """All classes of the tree by their code."""
    found: dict[str, type[DappError]] = {}
    waiting: list[type[DappError]] = [DappError]
    while waiting:
        cls = waiting.pop()
        found[cls.code] = cls
        waiting.extend(cls.__subclasses__())
    return found


def error_from_code(code: str, message: str, details: dict[str, Any] | None = None) -> DappError:
    """The error that another process described by its code; an unknown code becomes the root class."""
    return every_error().get(code, DappError)(message, **(details or {}))
