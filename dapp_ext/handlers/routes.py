"""The whole URL map on one page. Everything else about the API is made from it: handlers, OpenAPI, tests."""

from __future__ import annotations

import re
from typing import Any

from dapp_ext.handlers import (
    audit,
    auth,
    datasets,
    events,
    fixes,
    insights,
    jobs,
    keeping,
    lineage,
    models,
    notices,
    openapi,
    pages,
    registry,
    serving,
    shares,
    sharing,
    signins,
    system,
    trash,
    users,
    versions,
)
from dapp_ext.handlers.base import ApiHandler, NothingHere
from dapp_ext.handlers.operation import Operation
from dapp_ext.handlers.queries import (
    AnnouncementsQuery,
    AuditExportQuery,
    AuditQuery,
    AuditVerifyQuery,
    CompareQuery,
    EventsQuery,
    ExportQuery,
    InsightsQuery,
    JobsQuery,
    ListQuery,
    LogQuery,
    ModelExportQuery,
    MonitoringQuery,
    NotificationsQuery,
    RowsQuery,
    SharesQuery,
    UploadQuery,
    VersionQuery,
    VersionsQuery,
)
from dapp_ext.schema.accounts import (
    AccountCreate,
    AccountRead,
    AccountUpdate,
    LoginRequest,
    PasswordChange,
    ProfileChange,
    QuotaRead,
    RefreshRequest,
    ResumeRequest,
    TicketRead,
    TicketRequest,
    TokenPair,
)
from dapp_ext.schema.audit import AuditRead, AuditVerification
from dapp_ext.schema.base import Page
from dapp_ext.schema.boards import BoardRead, BoardRequest
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate, Profile, QueryRead, QueryRequest, RowsRead, RowsRequest, UsageRead
from dapp_ext.schema.events import EventPage
from dapp_ext.schema.fixes import FixRequest
from dapp_ext.schema.grants import GrantPut, GrantRead, PersonRead
from dapp_ext.schema.insights import InsightPublish, InsightRead, InsightUpdate, TableRead
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.lineage import Lineage
from dapp_ext.schema.models import (
    Advice,
    BatchPredictRead,
    BatchPredictRequest,
    ExtendRequest,
    Leaderboard,
    ModelRead,
    ModelUpdate,
    PredictRead,
    PredictRequest,
    RescoreRequest,
    Results,
    SkipRequest,
    TrainRequest,
)
from dapp_ext.schema.notices import (
    AnnouncementCreate,
    AnnouncementRead,
    MaintenanceRead,
    MaintenanceStart,
    NotificationCount,
    NotificationMarkRequest,
    NotificationPage,
)
from dapp_ext.schema.registry import BatchTrainRequest, Comparison, ReasonRequest, RegisterRequest, VersionsRead
from dapp_ext.schema.serving import (
    CheckRead,
    CheckRequest,
    LoggedCall,
    MonitoringRead,
    PolicyRead,
    ScoredFileQuery,
    ThresholdRequest,
)
from dapp_ext.schema.shares import ShareCreate, ShareMade, ShareRead
from dapp_ext.schema.signins import InvitationCreate, InvitationRead, LinkAccept, LinkMade, SessionRead, TokenCreate, TokenMade, TokenRead
from dapp_ext.schema.system import DashboardAddress, DashboardStart, HealthRead, StatusRead
from dapp_ext.schema.trash import TrashPut, TrashRead
from dapp_ext.schema.versions import Dependents, RestoreRequest, VersionComparison, VersionCreate, VersionRead

API = "/dapp/api/v1"
FILE = "application/octet-stream"
Op = Operation

OPERATIONS: tuple[Operation, ...] = (
    # Signing in
    Op("POST", "/auth/login", auth.login, "Sign in with email and password.", body=LoginRequest, answer=TokenPair, access="public"),
    Op(
        "POST",
        "/auth/refresh",
        auth.refresh,
        "A new pair of tokens for a refresh token, which is used up.",
        body=RefreshRequest,
        answer=TokenPair,
        access="public",
    ),
    Op("POST", "/auth/jupyter", auth.exchange, "DAPP's tokens for Jupyter's own login, on a one-person server.", answer=TokenPair, access="jupyter"),
    Op(
        "POST",
        "/auth/resume",
        keeping.resume,
        "Tokens for the sign-in that this browser keeps in a cookie, or keeps from now on; 204 where it keeps none.",
        body=ResumeRequest,
        answer=TokenPair,
        access="public",
    ),
    Op("DELETE", "/auth/resume", keeping.end, "End the sign-in that this browser keeps.", status=204, access="public"),
    Op("POST", "/auth/logout", auth.logout, "End this session.", status=204),
    Op("GET", "/auth/me", auth.me, "The account behind the token.", answer=AccountRead, settled=True),
    Op("PATCH", "/auth/me", auth.profile, "Change the own name.", body=ProfileChange, answer=AccountRead),
    Op("POST", "/auth/ticket", auth.ticket, "A credential for one use: a WebSocket, or a page opened signed in.", body=TicketRequest, answer=TicketRead),
    Op("POST", "/auth/password", auth.password, "Change the own password; every other session ends.", body=PasswordChange, status=204),
    Op(
        "POST",
        "/auth/accept",
        signins.accept,
        "Use up a link: into a new account, or to a new password.",
        body=LinkAccept,
        answer=TokenPair,
        access="public",
    ),
    Op("GET", "/auth/sessions", signins.sessions, "Where one is signed in.", answer=Page[SessionRead]),
    Op("DELETE", "/auth/sessions", signins.end_sessions, "Sign out everywhere else; personal access tokens end too.", status=204),
    Op("DELETE", "/auth/sessions/{ref}", signins.end_session, "End one session.", status=204),
    Op("GET", "/auth/tokens", signins.tokens, "The own personal access tokens.", answer=Page[TokenRead]),
    Op("POST", "/auth/tokens", signins.create_token, "A personal access token for scripts.", body=TokenCreate, answer=TokenMade, status=201),
    Op("DELETE", "/auth/tokens/{ref}", signins.end_token, "End a personal access token.", status=204),
    # Datasets
    Op("GET", "/datasets", datasets.index, "Datasets, newest first.", query=ListQuery, answer=Page[DatasetRead], settled=True),
    Op("POST", "/datasets", datasets.upload, "Upload a file; its bytes are the body.", query=UploadQuery, answer=DatasetRead, status=202, takes=FILE),
    Op("GET", "/datasets/{ref}", datasets.show, "One dataset by id or name.", query=VersionQuery, answer=DatasetRead, settled=True),
    Op("PATCH", "/datasets/{ref}", datasets.update, "Rename a dataset, or change who sees it.", body=DatasetUpdate, answer=DatasetRead),
    Op("DELETE", "/datasets/{ref}", datasets.delete, "Delete a dataset and the key of its data.", status=204),
    Op("GET", "/datasets/{ref}/profile", datasets.profile, "What is in it, and what is wrong with it.", query=VersionQuery, answer=Profile),
    Op("GET", "/datasets/{ref}/rows", datasets.first_rows, "A page of rows.", query=RowsQuery, answer=RowsRead),
    Op("POST", "/datasets/{ref}/rows", datasets.rows, "A page of rows, sorted and filtered.", body=RowsRequest, answer=RowsRead),
    Op("POST", "/datasets/{ref}/query", datasets.query, "An aggregate by groups, bins or buckets of time.", body=QueryRequest, answer=QueryRead),
    Op("POST", "/datasets/{ref}/board", datasets.board, "Several charts and figures at once.", body=BoardRequest, answer=BoardRead),
    Op("GET", "/datasets/{ref}/data", datasets.data, "The processed table as a file.", query=ExportQuery, gives=FILE),
    Op("GET", "/datasets/{ref}/original", datasets.original, "The file as it was uploaded.", query=VersionQuery, gives=FILE),
    Op("GET", "/datasets/{ref}/versions", versions.index, "Its versions, newest first.", answer=Page[VersionRead], settled=True),
    Op("POST", "/datasets/{ref}/versions", versions.read_again, "Read the file again.", body=VersionCreate, answer=DatasetRead, status=202),
    Op("DELETE", "/datasets/{ref}/versions/{number}", versions.delete, "Delete one version and the keys of its data.", status=204),
    Op("POST", "/datasets/{ref}/restore", versions.restore, "Make an older version the latest.", body=RestoreRequest, answer=DatasetRead),
    Op("GET", "/datasets/{ref}/compare", versions.compare, "What changed between two versions.", query=VersionsQuery, answer=VersionComparison),
    Op("POST", "/datasets/{ref}/fixes", fixes.apply, "Mend it by a new version.", body=FixRequest, answer=DatasetRead, status=202),
    Op("POST", "/datasets/{ref}/fixes/undo", fixes.undo, "Take the last fix back.", answer=DatasetRead),
    Op("GET", "/datasets/{ref}/dependents", versions.dependents, "What was made from it; asked before deleting.", query=VersionQuery, answer=Dependents),
    Op("GET", "/datasets/{ref}/lineage", lineage.of_dataset, "Where it comes from, and what was made from it.", answer=Lineage),
    Op("GET", "/datasets/{ref}/grants", sharing.of_datasets.index, "The people it is shared with.", answer=Page[GrantRead]),
    Op("PUT", "/datasets/{ref}/grants/{account}", sharing.of_datasets.put, "Share it with a person.", body=GrantPut, answer=Page[GrantRead]),
    Op("DELETE", "/datasets/{ref}/grants/{account}", sharing.of_datasets.remove, "Share it no more.", answer=Page[GrantRead]),
    Op("GET", "/people", sharing.people, "Whom one can share with.", query=sharing.PeopleQuery, answer=Page[PersonRead], settled=True),
    Op("GET", "/usage", datasets.usage, "Bytes that are stored for the account, and how many more may be.", answer=UsageRead),
    # Models
    Op("GET", "/models", models.index, "Models, newest first.", query=ListQuery, answer=Page[ModelRead], settled=True),
    Op("POST", "/models", models.train, "Train a model.", body=TrainRequest, answer=ModelRead, status=202),
    Op("POST", "/models/advice", models.advise, "What a training would do, before it starts.", body=TrainRequest, answer=Advice),
    Op(
        "POST",
        "/models/register",
        registry.register,
        "Bring along a fitted pipeline; its skops bytes are the body.",
        query=RegisterRequest,
        answer=ModelRead,
        status=202,
        takes=FILE,
    ),
    Op("POST", "/models/batch", registry.batch, "Train a model of each of many datasets.", body=BatchTrainRequest, answer=JobRead, status=202),
    Op("GET", "/models/compare", registry.compare, "Two models side by side.", query=CompareQuery, answer=Comparison),
    Op("GET", "/models/{ref}", models.show, "One model by id or name.", answer=ModelRead, settled=True),
    Op("PATCH", "/models/{ref}", models.update, "Rename a model, or change who sees it.", body=ModelUpdate, answer=ModelRead),
    Op("DELETE", "/models/{ref}", models.delete, "Delete a model and the key of its data.", status=204),
    Op("GET", "/models/{ref}/leaderboard", models.leaderboard, "The trials so far, best first.", answer=Leaderboard),
    Op("GET", "/models/{ref}/results", models.results, "All that is known about a trained model.", answer=Results),
    Op("POST", "/models/{ref}/stop", models.stop, "End the search and keep the best so far.", answer=ModelRead),
    Op("POST", "/models/{ref}/extend", models.extend, "Give the search more time.", body=ExtendRequest, answer=ModelRead),
    Op("POST", "/models/{ref}/skip", models.skip, "Leave a family out of the rest of the search.", body=SkipRequest, answer=ModelRead),
    Op("POST", "/models/{ref}/rescore", models.rescore, "The score again, with a fix or without columns.", body=RescoreRequest, answer=JobRead, status=202),
    Op("GET", "/models/{ref}/versions", registry.versions, "All versions of a model, and its champions.", answer=VersionsRead, settled=True),
    Op("POST", "/models/{ref}/promote", registry.promote, "Make this version the champion of its name.", body=ReasonRequest, answer=ModelRead),
    Op("POST", "/models/{ref}/rollback", registry.rollback, "Bring back the champion before.", body=ReasonRequest, answer=ModelRead),
    Op("POST", "/models/{ref}/predict", models.predict, "Predict some rows now.", body=PredictRequest, answer=PredictRead, soon=models.predict_soon),
    Op("POST", "/models/{ref}/predictions", models.predict_dataset, "Predict a whole dataset.", body=BatchPredictRequest, answer=BatchPredictRead, status=202),
    Op(
        "POST",
        "/models/{ref}/predictions/file",
        serving.file,
        "Upload a file and predict its rows; its bytes are the body.",
        query=ScoredFileQuery,
        answer=BatchPredictRead,
        status=202,
        takes=FILE,
    ),
    Op("GET", "/models/{ref}/predictions", serving.log, "The log of predictions, newest first.", query=LogQuery, answer=Page[LoggedCall]),
    Op("POST", "/models/{ref}/check", serving.check, "How columns fit the model.", body=CheckRequest, answer=CheckRead),
    Op("POST", "/models/{ref}/threshold", serving.threshold, "From which probability on the answer is yes.", body=ThresholdRequest, answer=PolicyRead),
    Op("GET", "/models/{ref}/threshold", serving.policies, "The threshold policies, the present one first.", answer=Page[PolicyRead]),
    Op("GET", "/models/{ref}/monitoring", serving.monitoring, "Volume, time, errors and drift.", query=MonitoringQuery, answer=MonitoringRead),
    Op("GET", "/models/{ref}/export", models.export, "The model as a file.", query=ModelExportQuery, gives=FILE),
    Op("GET", "/models/{ref}/lineage", lineage.of_model, "What it learned from, and what it predicted.", answer=Lineage),
    Op("GET", "/models/{ref}/grants", sharing.of_models.index, "The people it is shared with.", answer=Page[GrantRead]),
    Op("PUT", "/models/{ref}/grants/{account}", sharing.of_models.put, "Share it with a person.", body=GrantPut, answer=Page[GrantRead]),
    Op("DELETE", "/models/{ref}/grants/{account}", sharing.of_models.remove, "Share it no more.", answer=Page[GrantRead]),
    # What notebooks publish
    Op("GET", "/insights", insights.index, "What notebooks published, newest first.", query=InsightsQuery, answer=Page[InsightRead], settled=True),
    Op("POST", "/insights", insights.publish, "Publish a picture or a table.", body=InsightPublish, answer=InsightRead, status=201, limit=insights.LIMIT),
    Op("GET", "/insights/{ref}", insights.show, "One insight.", answer=InsightRead, settled=True),
    Op("PATCH", "/insights/{ref}", insights.update, "Change its title, its note, or who sees it.", body=InsightUpdate, answer=InsightRead),
    Op("DELETE", "/insights/{ref}", insights.delete, "Delete an insight and the key of its data.", status=204),
    Op("GET", "/insights/{ref}/picture", insights.picture, "Its picture.", gives="image/png"),
    Op("GET", "/insights/{ref}/table", insights.table, "Its table.", answer=TableRead),
    # Read-only links
    Op("GET", "/shares", shares.index, "Links that open a result or an insight now.", query=SharesQuery, answer=Page[ShareRead]),
    Op("POST", "/shares", shares.create, "Make a read-only link to a result or an insight.", body=ShareCreate, answer=ShareMade, status=201),
    Op("DELETE", "/shares/{ref}", shares.withdraw, "Let a link open nothing any more.", status=204),
    # Deleted so that it can be undone
    Op("GET", "/trash", trash.index, "What was deleted and can be brought back.", answer=Page[TrashRead]),
    Op("POST", "/trash", trash.put, "Delete something so that it can be brought back for a day.", body=TrashPut, answer=TrashRead, status=201),
    Op("POST", "/trash/{ref}/restore", trash.restore, "Bring it back as it was.", answer=TrashRead),
    Op("DELETE", "/trash/{ref}", trash.delete, "Delete it for good, with its key.", status=204),
    # Jobs and the feed
    Op("GET", "/jobs", jobs.index, "Work in the background, newest first.", query=JobsQuery, answer=Page[JobRead], settled=True),
    Op("GET", "/jobs/{ref}", jobs.show, "One job.", answer=JobRead, settled=True),
    Op("POST", "/jobs/{ref}/cancel", jobs.cancel, "Stop a job without a result.", answer=JobRead),
    Op("GET", "/events", events.index, "What happened after a cursor.", query=EventsQuery, answer=EventPage),
    # What people are told
    Op("GET", "/notifications", notices.notifications, "The bell, newest first.", query=NotificationsQuery, answer=NotificationPage, settled=True),
    Op("GET", "/notifications/unread", notices.unread, "How many lines are not read.", answer=NotificationCount, settled=True),
    Op("POST", "/notifications/read", notices.mark, "Mark one line as read, or all.", body=NotificationMarkRequest, answer=NotificationCount),
    Op("GET", "/announcements", notices.announcements, "What is announced.", query=AnnouncementsQuery, answer=Page[AnnouncementRead]),
    Op("POST", "/announcements", notices.announce, "Tell everybody something.", body=AnnouncementCreate, answer=AnnouncementRead, status=201),
    Op("DELETE", "/announcements/{ref}", notices.withdraw, "Withdraw an announcement.", status=204),
    Op("GET", "/maintenance", notices.maintenance, "Whether changes are taken in, and the countdown.", answer=MaintenanceRead),
    Op("POST", "/maintenance", notices.start_maintenance, "Announce or begin maintenance.", body=MaintenanceStart, answer=MaintenanceRead),
    Op("DELETE", "/maintenance", notices.end_maintenance, "End maintenance; jobs that waited go on.", status=204),
    # Administration
    Op("GET", "/users", users.index, "Everybody with an account.", answer=Page[AccountRead], settled=True),
    Op("POST", "/users", users.create, "Make an account.", body=AccountCreate, answer=AccountRead, status=201),
    Op("PATCH", "/users/{ref}", users.update, "Change name or role, disable or enable.", body=AccountUpdate, answer=AccountRead),
    Op("GET", "/quotas", users.quotas, "What everybody stores and may store.", answer=Page[QuotaRead]),
    Op("POST", "/users/{ref}/reset", signins.reset, "A link to a new password; the present one and all sessions end.", answer=LinkMade),
    Op("GET", "/users/{ref}/sessions", signins.sessions_of, "Where somebody is signed in.", answer=Page[SessionRead]),
    Op("DELETE", "/users/{ref}/sessions", signins.end_sessions_of, "Sign somebody out everywhere.", status=204),
    Op("GET", "/invitations", signins.invitations, "Invitations that wait for their person.", answer=Page[InvitationRead]),
    Op("POST", "/invitations", signins.invite, "Invite somebody by a link for one use.", body=InvitationCreate, answer=LinkMade, status=201),
    Op("DELETE", "/invitations/{ref}", signins.withdraw, "Withdraw an invitation.", status=204),
    Op("GET", "/audit", audit.index, "Who did what, newest first.", query=AuditQuery, answer=Page[AuditRead]),
    Op("GET", "/audit/verify", audit.verify, "Whether the log is whole, and what is not.", query=AuditVerifyQuery, answer=AuditVerification),
    Op("GET", "/audit/export", audit.export, "The log as a file, oldest first.", query=AuditExportQuery, gives=FILE),
    Op("GET", "/system", system.status, "Addresses, isolation and workers.", answer=StatusRead),
    Op("POST", "/system/dashboard", system.start_dashboard, "The dashboard's address with a sign-in; starts it.", body=DashboardStart, answer=DashboardAddress),
    Op("GET", "/system/template", system.template, "The notebook template.", alone=True),
    # Operations
    Op("GET", "/health/live", system.live, "Whether the process answers.", answer=HealthRead, access="public", alone=True, soon=system.live_soon),
    Op("GET", "/health/ready", system.ready, "Whether database and storage answer.", answer=HealthRead, access="public"),
    Op("GET", "/metrics", system.metrics, "Numbers for Prometheus.", gives="text/plain"),
    Op("GET", "/openapi.json", openapi.document, "This description.", access="public", alone=True),
)

# Addresses that need more than a function: a body taken by pieces, Jupyter's own login.
HANDLERS: dict[str, type[ApiHandler]] = {
    "/datasets": datasets.DatasetsHandler,
    "/models/register": registry.RegisterHandler,
    "/models/{ref}/predictions/file": serving.ScoredFileHandler,
    "/auth/jupyter": auth.JupyterExchange,
    "/auth/resume": keeping.ResumeHandler,
}


def handlers() -> list[tuple[Any, ...]]:
    """All routes for tornado, below the server's base URL."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    api = [(API + pattern(path), HANDLERS.get(path, ApiHandler), {"operations": operations}) for path, operations in by_path.items()]
    return [
        *api,
        (f"{API}/events/ws", events.FeedSocket),
        ("/dapp/docs", pages.Docs),
        (r"/dapp/docs/(?P<name>docs\.(?:css|js))", pages.Docs),
        ("/dapp/signin", pages.SignIn),
        (r"/dapp(?:/.*)?", NothingHere),
    ]


def pattern(path: str) -> str:
    """The expression that an address with ``{names}`` stands for; words that are addresses of their own are no names."""
    parts = path.split("/")
    found = []
    for place, part in enumerate(parts):
        words = [other[place] for other in (each.path.split("/") for each in OPERATIONS) if _beside(parts, other, place)]
        unless = f"(?!(?:{'|'.join(sorted({re.escape(word) for word in words}))})$)" if part.startswith("{") and words else ""
        found.append(unless + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", part.replace(".", r"\.")))
    return "/".join(found)


def _beside(parts: list[str], other: list[str], place: int) -> bool:
    """Whether an address is the same but for a word in the place of a name."""
    return len(parts) == len(other) and not other[place].startswith("{") and parts[:place] == other[:place] and parts[place + 1 :] == other[place + 1 :]
