"""Opens a home: every service over its rules and stores, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from dapp_ext.errors import Broken, DappError
from dapp_ext.schema.base import new_id
from dapp_ext.schema.system import DatabaseRead
from dapp_ext.services.accounts import Accounts
from dapp_ext.services.announcements import Announcements
from dapp_ext.services.audit import Audit
from dapp_ext.services.backups import Backups, restore_backup, verify_backup
from dapp_ext.services.batches import Batches
from dapp_ext.services.boards import Boards
from dapp_ext.services.context import Context, secret_of
from dapp_ext.services.datasets import Datasets
from dapp_ext.services.events import Events, Subscription
from dapp_ext.services.files import Download
from dapp_ext.services.fixes import Fixes
from dapp_ext.services.heralding import Herald
from dapp_ext.services.insights import Insights
from dapp_ext.services.invitations import Invitations
from dapp_ext.services.jobs import Jobs
from dapp_ext.services.keys import Keys
from dapp_ext.services.lineage import LineageService
from dapp_ext.services.maintenance import Maintenance
from dapp_ext.services.models import Models
from dapp_ext.services.monitoring import Monitoring
from dapp_ext.services.needs import Needs
from dapp_ext.services.notifications import Notifications
from dapp_ext.services.policies import Policies
from dapp_ext.services.predictions import Predictions
from dapp_ext.services.registering import Registering
from dapp_ext.services.registry import Registry
from dapp_ext.services.rescoring import Rescoring
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.settling import Settling, fail
from dapp_ext.services.shares import Shares
from dapp_ext.services.sharing import Sharing
from dapp_ext.services.signins import SignIns
from dapp_ext.services.system import System, WorkerKeeper
from dapp_ext.services.trash import Trash
from dapp_ext.services.uploads import Upload
from dapp_ext.services.versions import Versions
from dapp_ext.settings import Settings
from dapp_ext.store import audit, bell, feed, instance, migrations, wires
from dapp_ext.store.backups import BackupKey
from dapp_ext.store.database import Database, Session
from dapp_ext.store.folders import make_private
from dapp_ext.store.frame_cache import FrameCache
from dapp_ext.store.keys import Keyring, open_export, open_keyring, put_back
from dapp_ext.store.redis import Redis, RedisWire
from dapp_ext.store.remote_objects import open_objects
from dapp_ext.store.tables import Instance

__all__ = [
    "BackupKey",
    "Download",
    "Services",
    "Subscription",
    "Upload",
    "WorkerKeeper",
    "database_state",
    "open_services",
    "restore_backup",
    "restore_keys",
    "verify_backup",
]


@dataclass(frozen=True)
class Services:
    """What a visitor can ask for. A context manager; :meth:`close` gives everything back."""

    settings: Settings
    accounts: Accounts
    signins: SignIns
    invitations: Invitations
    announcements: Announcements
    maintenance: Maintenance
    notifications: Notifications
    datasets: Datasets
    versions: Versions
    fixes: Fixes
    sharing: Sharing
    lineage: LineageService
    boards: Boards
    models: Models
    predictions: Predictions
    monitoring: Monitoring
    needs: Needs
    policies: Policies
    registering: Registering
    registry: Registry
    batches: Batches
    rescoring: Rescoring
    insights: Insights
    shares: Shares
    trash: Trash
    jobs: Jobs
    events: Events
    audit: Audit
    keys: Keys
    backups: Backups
    system: System
    settling: Settling
    herald: Herald
    bell: bell.Bell
    context: Context

    @property
    def instance_id(self) -> str:
        """Which workspace this is."""
        return self.context.instance_id

    def close(self) -> None:
        self.system.pace.close()
        self.predictions.close()
        self.context.tail.close()
        self.bell.close()
        self.context.bells.close()
        if self.context.redis is not None:
            self.context.redis.close()
        self.context.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_services(settings: Settings) -> Services:
    """Open a home: bring its database up to date, check that the key is its own, make the owner at the first start.

    Raises
    ------
    KeyWrong
        If the home was sealed with another key.
    """
    context = _open_context(settings)
    services = _compose(context)
    services.accounts.first_start()
    context.tail.beside.append(services.herald.look_soon)
    return services


def _compose(context: Context) -> Services:
    """Each service with those that it asks."""
    datasets = Datasets(context)
    scorers = Scorers()
    models = Models(context, datasets, scorers)
    accounts, system = Accounts(context), System(context)
    jobs = Jobs(context, partial(fail, context))
    predictions = Predictions(context, datasets, models, scorers)
    events = Events(context)
    versions = Versions(context, datasets)
    insights = Insights(context, datasets, models)
    return Services(
        settings=context.settings,
        accounts=accounts,
        signins=SignIns(context),
        invitations=Invitations(context, accounts, system),
        datasets=datasets,
        versions=versions,
        fixes=Fixes(context, datasets, versions),
        sharing=Sharing(context, datasets, models),
        lineage=LineageService(context, datasets, models),
        boards=Boards(context, datasets),
        models=models,
        predictions=predictions,
        monitoring=predictions.monitoring,
        needs=Needs(context),
        policies=Policies(context, models),
        registering=Registering(context, datasets, models, scorers),
        registry=Registry(context, models),
        batches=Batches(context, models, jobs),
        rescoring=Rescoring(context, datasets, models, jobs),
        insights=insights,
        shares=Shares(context, models, insights, system),
        trash=Trash(context, datasets, models, insights),
        jobs=jobs,
        events=events,
        announcements=Announcements(context),
        maintenance=Maintenance(context),
        notifications=Notifications(context, events),
        audit=Audit(context),
        keys=Keys(context),
        backups=Backups(context),
        system=system,
        settling=Settling(context),
        herald=Herald(context),
        bell=context.bells.listen(),
        context=context,
    )


def _open_context(settings: Settings) -> Context:
    make_private(settings.home)
    database = Database(settings.resolved_database_url())
    try:
        # The key is looked at first: with a wrong one nothing is changed, not even the schema.
        expected, links = instance.known_key(database)
        objects = open_objects(settings)
        if expected is None and next(objects.names(), None) is not None:
            raise Broken("The database of this home is missing or empty, but there is data in it. Put the database back, or restore a backup.")
        keyring = open_keyring(settings, expected=expected, links=links)
        migrations.upgrade(database)
        with database.write() as session:
            row = instance.find(session) or _make(session, keyring)
    except DappError:
        database.close()
        raise
    bells = bell.Bells(settings.home, _wire(settings, database, row.instance_id))
    context = Context(
        settings=settings,
        database=database,
        keyring=keyring,
        objects=objects,
        frames=FrameCache(settings.cache_memory),
        tail=feed.Tail(database, bells),
        bells=bells,
        instance_id=row.instance_id,
        epoch=row.epoch,
        redis=Redis(settings.redis_url, row.instance_id) if settings.redis_url else None,
    )
    context.audit_key = context.secret("audit")
    return context


def _make(session: Session, keyring: Keyring) -> Instance:
    """A new workspace: which one it is, and the beginning of its audit."""
    key = keyring.new_data_key()
    row = instance.create(session, keyring, new_id(), key)
    audit.begin(session, secret_of(key, "audit"))
    return row


def _wire(settings: Settings, database: Database, workspace: str) -> wires.Wire | None:
    """How news gets to other machines: by Redis where it is set, else by PostgreSQL."""
    if settings.redis_url:
        return RedisWire(settings.redis_url, workspace)
    return None if database.is_sqlite else wires.NotifyWire(database)


def restore_keys(settings: Settings, exported: bytes, passphrase: str) -> list[str]:
    """Put exported root keys back into the keys folder of a home that may be empty. Returns the ids that were written.

    Raises
    ------
    KeyWrong
        If the passphrase is another one.
    """
    roots, active = open_export(exported, passphrase)
    return put_back(settings, roots, active)


def database_state(settings: Settings) -> DatabaseRead:
    """Where the schema of a home's database is, without changing anything."""
    if settings.uses_sqlite and not settings.database_file.exists():
        return DatabaseRead(kind="SQLite", current=None, newest=migrations.head_revision())
    database = Database(settings.resolved_database_url())
    try:
        return DatabaseRead(kind=database.kind, current=migrations.current_revision(database), newest=migrations.head_revision())
    finally:
        database.close()
