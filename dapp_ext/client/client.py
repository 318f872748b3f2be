"""The client: one object whose methods are the verbs of the workspace."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from dapp_ext.client import datasets, explaining, insights, models, notices, predictions, registry, serving
from dapp_ext.client.administration import Administration
from dapp_ext.client.answers import Fit, Policy, Usage
from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import Dataset, UploadPlan
from dapp_ext.client.drawing import card, paragraph
from dapp_ext.client.explaining import Explanation, TrainingAdvice
from dapp_ext.client.filters import FilterLike
from dapp_ext.client.insights import Insight, Publication
from dapp_ext.client.jobs import JOB_COLUMNS, Job
from dapp_ext.client.live import Subscription
from dapp_ext.client.models import Model
from dapp_ext.client.objects import Listing, reference
from dapp_ext.client.profiles import DatasetProfile
from dapp_ext.client.registry import Comparison, Versions
from dapp_ext.client.results import Results
from dapp_ext.client.serving import Monitoring
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.client.versions import read_options
from dapp_ext.errors import NotSignedIn, Unavailable
from dapp_ext.schema.base import Page
from dapp_ext.schema.datasets import ReadOptions, Visibility
from dapp_ext.schema.events import Event, EventPage
from dapp_ext.schema.grants import PersonRead
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import Family, Task, Validation
from dapp_ext.schema.notices import NotificationRead
from dapp_ext.schema.registry import RegisterRequest
from dapp_ext.schema.serving import LoggedCall

if TYPE_CHECKING:
    import pandas as pd

_LIVE_SECONDS = 5.0
_EVENT_COLUMNS: dict[str, Callable[[Event], Any]] = {
    "at": lambda each: f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}",
    "type": lambda each: each.type,
    "of": lambda each: each.data.get("name") or each.data.get("subject_name"),
    "by": lambda each: each.actor.name if each.actor else None,
}


@short_tracebacks
class DAPPClient(Administration):
    """The workspace, from a notebook or a script.

    In a notebook ``DAPPClient()`` finds the server that the kernel belongs to and is signed in. Elsewhere give the
    address and sign in: ``DAPPClient("http://127.0.0.1:8888").login(email, password)``. Methods take a dataset or model
    as an object, its id or its name. It may be used from several threads at once, and as a context manager.

    Parameters
    ----------
    url : str, optional
        Address of the server. ``DAPP_URL`` in the environment does the same without code.
    token : str, optional
        A personal access token, made on the Account page or by ``jupyter dapp tokens create``; ``DAPP_TOKEN`` in the
        environment keeps it out of the code.
    verify : path, optional
        A file with the certificate of the server or of the authority that signed it, where that is none of the public
        ones; ``SSL_CERT_FILE`` in the environment does the same. Checking cannot be turned off.

    Raises
    ------
    Unavailable
        If no server is found, or it does not answer.
    NotSignedIn
        If Jupyter's identity is not accepted.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, verify: str | os.PathLike[str] | None = None) -> None:
        self._connection = Connection(url, token, verify)
        # The live feed's thread would keep a forgotten client alive; it ends with the client, or with the process.
        self._finalizer = weakref.finalize(self, Connection.close, self._connection)
        if self._connection.transport.sign_in.possible:
            self._connection.transport.sign_in.headers()

    @property
    def url(self) -> str:
        """Address of the server."""
        return self._connection.server.url

    @property
    def connection(self) -> Connection:
        """The way to the server, for widgets and other tools that are built on this client."""
        return self._connection

    def login(self, email: str, password: str) -> DAPPClient:
        """Sign in with email and password; the password is not kept.

        Raises
        ------
        LoginRefused
            If they are not right.
        Throttled
            After too many attempts.
        """
        self._connection.transport.sign_in.login(email, password)
        return self

    def usage(self) -> Usage:
        """Bytes that you store, and how many more you may."""
        return self._connection.transport.get(Usage, "usage")

    def people(self) -> Listing[PersonRead]:
        """Whom you can share with."""
        found = self._connection.transport.get(Page[PersonRead], "people").items
        return Listing(found, "People", {"name": lambda each: each.name, "email": lambda each: each.email})

    def upload_file(
        self,
        path_or_frame: Any,
        name: str | None = None,
        wait: bool = True,
        *,
        visibility: Visibility = "team",
        read: ReadOptions | Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Bring a file or a table into the workspace.

        Parameters
        ----------
        path_or_frame : path, file object, bytes, pandas, polars or Arrow table
            Files are sent in pieces, whatever their size; tables go as Parquet with the types of their columns.
        name : str, optional
            Name of the dataset; made from the file's name when left out.
        wait : bool
            Whether to return when it is processed (with a progress bar) or as soon as it is sent.
        visibility : {"team", "private"}
            Who may see it.
        read : ReadOptions or mapping, optional
            How to read the file where guessing goes wrong, such as ``{"delimiter": ";", "decimal": ","}``.

        Raises
        ------
        FileUnreadable
            If it is no table.
        TooLarge, QuotaExceeded, NameTaken, Denied, StorageFull
            If the workspace does not take it.
        """
        return datasets.upload(self._connection, path_or_frame, UploadPlan(name, visibility, read_options(read), wait))

    def datasets(self, search: str | None = None) -> Listing[Dataset]:
        """The datasets that you may see, the newest first."""
        return datasets.list_datasets(self._connection, search)

    def dataset(self, ref: Dataset | str) -> Dataset:
        """One dataset by id or name."""
        return datasets.get_dataset(self._connection, ref)

    def get_processed_data(self, dataset: Dataset | str | None = None, columns: Sequence[str] | None = None, filter: FilterLike = None) -> pd.DataFrame:
        """The rows of a dataset as a typed pandas frame.

        Parameters
        ----------
        dataset : Dataset or str, optional
            The one used last when left out.
        columns : list of str, optional
            Only these, in this order.
        filter : str or list of Filter, optional
            Only rows that fulfil it, such as ``"age > 30 and sex == 'Male'"``; applied on the server. The language is
            described in :mod:`dapp_ext.client.filters`.

        Returns
        -------
        pandas.DataFrame
            Whole numbers are ``int64`` (``Int64`` where some are missing), texts and categories texts, dates and times
            ``datetime64``.
        """
        return datasets.read_frame(self._connection, dataset, columns, filter)

    def profile(self, dataset: Dataset | str | None = None) -> DatasetProfile:
        """What is in each column of a dataset, and what a person should know about it."""
        return datasets.read_profile(self._connection, dataset)

    def train_model(  # so many options, because in a notebook Tab lists them
        self,
        dataset: Dataset | str | None = None,
        target: str | None = None,
        *,
        time_budget: int = 60,
        trials: int | None = None,
        metric: str | None = None,
        validation: Validation | None = None,
        families: Sequence[Family] | None = None,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        exclude: Sequence[str] | None = None,
        name: str | None = None,
        wait: bool = False,
        **recipe: Any,
    ) -> Model:
        """Search for the best model of a column.

        Parameters
        ----------
        dataset, target : optional
            The dataset used last, and its likely column (which is said aloud), when left out.
        time_budget, trials : int
            Seconds (5 to 86,400); a number of trials makes the search repeatable.
        metric : str, optional
            What to go by, such as ``"roc_auc"``; chosen by the task when left out.
        validation : {"random", "stratified", "group", "time"}, optional
            How the rows are divided.
        families, params : list of {"linear", "lightgbm", "forest", "neighbours", "neural"}, mapping
            Learners to try, and fixed hyperparameters by family and name.
        exclude : list of str, optional
            Columns that are not to be used.
        name, wait : str, bool
            Name of the model; whether to return when it is trained (with the leaderboard live) or at once.
        **recipe
            What :meth:`advise` speaks of: ``group``, ``time_column``, ``task``, ``allow``, ``clean``, ``missing``, ``seed``; see
            :class:`~dapp_ext.schema.models.TrainRequest`. The ``change`` of one of its fixes fits in here.

        Raises
        ------
        TargetUnusable, ColumnUnknown, NotReady, NameTaken, Denied
            Whatever can be known before the search begins, also that it is doubtful which column is meant.
        """
        given = {"time_budget": time_budget, "trials": trials, "metric": metric, "validation": validation, "name": name, "wait": wait}
        lists = {"families": families and list(families), "params": params and dict(params), "exclude": exclude and list(exclude)}
        return models.train(self._connection, dataset, target, given | lists | recipe)

    def train_batch(
        self,
        datasets: Sequence[Dataset | str],
        target: str | None = None,
        *,
        name: str | None = None,
        **recipe: Any,
    ) -> Job:
        """Train a model of each dataset with the same recipe, as one job with a line for each.

        Parameters
        ----------
        datasets : list of Dataset or str
            All are trained, or none: what is wrong with any of them is said at once.
        target : str, optional
            The same column in all; each dataset's likely one when left out.
        name : str, optional
            Name of the batch.
        **recipe
            As for :meth:`train_model`: ``time_budget`` (for each), ``trials``, ``metric``, ``families`` and so on.
        """
        return registry.train_batch(self._connection, datasets, target, {"name": name, **recipe})

    def register(
        self,
        pipeline: Any,
        *,
        name: str,
        dataset: Dataset | str | None = None,
        target: str,
        task: Task | None = None,
        unseen: bool = False,
        wait: bool = True,
    ) -> Model:
        """Bring along a scikit-learn pipeline that you fitted yourself: it gets the same pages and is asked like any other.

        Parameters
        ----------
        pipeline : fitted estimator
            Sent as skops; nothing of it is ever unpickled.
        name : str
            The name of your own model makes the next version of it.
        dataset : Dataset or str, optional
            What it is scored on; the one used last when left out.
        target : str
            The column that it predicts.
        unseen : bool
            Say so when it never learned from these rows; otherwise its scores carry a warning.

        Raises
        ------
        ModelTypeRefused
            It holds types that are not on the allow-list; they are named.
        """
        source = datasets.get_dataset(self._connection, dataset)
        request = RegisterRequest(name=name, dataset=source.id, target=target, task=task, unseen=unseen)
        return registry.register(self._connection, pipeline, request, wait=wait)

    def versions(self, model: Model | str | None = None) -> Versions:
        """All versions of a model, newest first, and how its champion changed."""
        return registry.versions(self._connection, model)

    def compare(self, a: Model | str, b: Model | str) -> Comparison:
        """Two models side by side: scores, recipe, columns, data. Names may carry a version: ``"churn@2"``."""
        return registry.compare(self._connection, a, b)

    def promote(self, model: Model | str, reason: str) -> Model:
        """Make this version the champion of its name: predictions by name go to it."""
        return registry.promote(self._connection, model, reason)

    def rollback(self, model: Model | str, reason: str) -> Model:
        """Bring back the champion before the present one; answers it."""
        return registry.rollback(self._connection, model, reason)

    def models(self, search: str | None = None) -> Listing[Model]:
        """The models that you may see, the newest first."""
        return models.list_models(self._connection, search)

    def model(self, ref: Model | str) -> Model:
        """One model by id or name."""
        return models.get_model(self._connection, ref)

    def get_results(self, model: Model | str | None = None) -> Results:
        """All that is known about a trained model; the one used last when left out."""
        return models.get_results(self._connection, model)

    def predict(self, model: Model | str | None, frame: Any) -> pd.DataFrame:
        """Predict rows now.

        Parameters
        ----------
        model : Model or str
            ``None`` means the one used last.
        frame : table, Series, mapping or list of mappings
            Rows with the columns that the model learned from; others are not used.

        Returns
        -------
        pandas.DataFrame
            With the index of the frame: ``prediction``, and for a classifier ``probability_<class>`` for each class.

        Raises
        ------
        RowsMismatch
            If a needed column is missing.
        """
        return predictions.predict(self._connection, model, frame)

    def explain(self, model: Model | str | None, row: Any) -> Listing[Explanation]:
        """Why a model says what it says about a row, or each of a few: how far each column moves the answer."""
        return explaining.explain(self._connection, model, row)

    def advise(self, dataset: Dataset | str | None = None, target: str | None = None, **recipe: Any) -> TrainingAdvice:
        """What :meth:`train_model` would do with the same options, and what should be looked at before."""
        return explaining.advise(self._connection, dataset, target, recipe)

    def predict_dataset(self, model: Model | str | None, dataset: Dataset | str | None = None, name: str | None = None, wait: bool = True) -> Dataset:
        """Predict every row of a dataset in the background; the answer is a new dataset."""
        return predictions.predict_dataset(self._connection, model, dataset, name, wait=wait)

    def publish(
        self,
        figure_or_table: Any,
        title: str,
        *,
        note: str | None = None,
        dataset: Dataset | str | None = None,
        model: Model | str | None = None,
        visibility: Visibility | None = None,
    ) -> Insight:
        """Show a figure or a table to everybody, as an insight on the dashboard.

        It is sent as a picture, drawn here, and a table of its numbers; never as script. It is kept sealed.

        Parameters
        ----------
        figure_or_table : matplotlib, seaborn, plotly, Bokeh or HoloViews figure, or pandas, polars or Arrow table
            Of a table the first 1,000 rows and 50 columns are shown.
        title, note : str
            What it shows, and a sentence or two below that.
        dataset, model : optional
            What it is about; it is listed there too, and whoever may not see that does not see the insight.
        visibility : {"team", "private"}, optional
            Who may see it; as the dataset or model when left out.
        """
        return insights.publish(self._connection, figure_or_table, Publication(title, note, dataset, model, visibility))

    def insights(self, about: Dataset | Model | str | None = None) -> Listing[Insight]:
        """What was published, the newest first; only what shows a dataset or model where one is given."""
        return insights.list_insights(self._connection, about)

    def insight(self, ref: Insight | str) -> Insight:
        """One insight by id."""
        return insights.get_insight(self._connection, ref)

    def predict_file(self, model: Model | str | None, path_or_frame: Any, name: str | None = None, wait: bool = True) -> Dataset:
        """Upload a file of any format and predict its rows in one call; the answer is a new dataset."""
        return serving.predict_file(self._connection, model, path_or_frame, name, wait=wait)

    def check(self, model: Model | str | None, dataset_or_frame: Any) -> Fit:
        """How the columns of a dataset or table fit a model: what is missing, new or of another kind, before it runs."""
        return serving.check(self._connection, model, dataset_or_frame)

    def set_threshold(self, model: Model | str | None, value: float | None = None, *, reason: str = "", **by: float) -> Policy:
        """Save from which probability on a model of two classes says yes; form, batch and API follow it.

        Parameters
        ----------
        value : float, optional
            The probability itself.
        **by
            Instead: ``cost_false_alarm`` and ``cost_missed``, or ``capacity`` (the share of rows that can be looked at).
        """
        basis = "value" if value is not None else "capacity" if "capacity" in by else "cost"
        return serving.set_threshold(self._connection, model, {"by": basis, "value": value, "reason": reason, **by})

    def monitoring(self, model: Model | str | None = None, days: int = 7) -> Monitoring:
        """How a model was used lately, and whether what it is asked still looks like what it learned from."""
        return serving.monitoring(self._connection, model, days)

    def prediction_log(self, model: Model | str | None = None, limit: int = 50) -> Listing[LoggedCall]:
        """The last calls for predictions of a model, newest first."""
        return serving.prediction_log(self._connection, model, limit)

    def thresholds(self, model: Model | str | None = None) -> Listing[Policy]:
        """The threshold policies of a model, the present one first."""
        return serving.thresholds(self._connection, model)

    def jobs(self, status: str | None = None) -> Listing[Job]:
        """Work in the background, the newest first."""
        found = [Job(self._connection, read) for page in datasets.pages(self._connection, JobRead, "jobs", status=status) for read in page]
        return Listing(found, "Jobs", JOB_COLUMNS)

    def job(self, ref: Job | str) -> Job:
        """One job by id."""
        return Job(self._connection, self._connection.transport.get(JobRead, f"jobs/{path_of(reference(ref, 'a job'))}"))

    def events(self, after: str | None = None) -> Listing[Event]:
        """What happened, the oldest first.

        Parameters
        ----------
        after : str, optional
            Cursor (the ``id`` of an event); only what came after it. When left out, whatever the server still has.
        """
        found: list[Event] = []
        cursor = after
        while True:
            page = self._connection.transport.get(EventPage, "events", after=cursor, limit=500)
            found += page.items
            if not page.more or page.next == cursor:
                break
            cursor = page.next
        return Listing(found, "Events", _EVENT_COLUMNS, newest_last=True)

    def notifications(self, unread: bool = False) -> Listing[NotificationRead]:
        """What there is to know, the newest first; the same as behind the bell at every other door."""
        return notices.notifications(self._connection, unread)

    def mark_read(self, notification: NotificationRead | str | None = None) -> int:
        """Mark a notification as read, or all of them; how many are left."""
        return notices.mark_read(self._connection, notification.id if isinstance(notification, NotificationRead) else notification)

    def on(self, type: str, callback: Callable[[Event], Any]) -> Subscription:
        """Call a function for every event of a type, such as ``"model.trained"`` or ``"model.*"``.

        The function is called on a thread of its own, one event at a time. Returns a handle with ``close()``.
        """
        subscription = self._connection.feed.on(type, callback)
        try:
            self._connection.feed.start(wait=_LIVE_SECONDS)
        except NotSignedIn:
            subscription.close()
            raise
        return subscription

    def close(self) -> None:
        """End the live feed and the session."""
        sign_in = self._connection.transport.sign_in
        self._connection.feed.close()  # first, or it would complain that its session has ended
        if self._finalizer.alive and sign_in.account is not None:
            # A session that cannot be ended now ends by itself; closing is not the time to complain.
            with suppress(NotSignedIn, Unavailable):
                self._connection.transport.call("POST", "auth/logout")
        sign_in.forget()
        self._finalizer()

    def __enter__(self) -> DAPPClient:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        self.close()
        return False

    def _who(self) -> str:
        account = self._connection.transport.sign_in.account
        if account is None:
            return "signed in by a personal access token" if self._connection.transport.sign_in.possible else "not signed in; use login(email, password)"
        return f"signed in as {account.name or account.email} ({account.role})"

    def __repr__(self) -> str:
        return f"DAPPClient at {self.url}, {self._who()}"

    def _repr_html_(self) -> str:
        return card("DAPP", paragraph(self._who(), "lead"), paragraph(self.url, "soft"))
