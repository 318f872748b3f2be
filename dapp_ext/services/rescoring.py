"""The score again after a fix: asked for with one click, made beside the model, kept beside the first."""

from __future__ import annotations

from typing import Any, get_args

from dapp_ext.domain.learning import Recipe
from dapp_ext.domain.learning.fixes import drop_columns
from dapp_ext.errors import ColumnUnknown, Conflict, Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import Family, Fix, Guard, RescoreRequest, Results
from dapp_ext.services.context import Context
from dapp_ext.services.jobs import Jobs, add_job, place_of
from dapp_ext.services.models import Models
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import thing_of
from dapp_ext.store import queue
from dapp_ext.store.database import Session


class Rescoring:
    """The service."""

    def __init__(self, context: Context, tables: Tables, models: Models, jobs: Jobs) -> None:
        self._context = context
        self._tables = tables
        self._models = models
        self._jobs = jobs

    def ask(self, actor: Actor, ref: str, request: RescoreRequest) -> JobRead:
        """Queue the score again after the fix of a finding, or without some columns; it is kept in the model's results.

        The learner that did best alone is cross-validated with its settings before and after the change. Asking again
        while the same is under way gives the job that is.

        Raises
        ------
        Invalid, ColumnUnknown
            There is no such finding, fix or column.
        Conflict
            The model was brought along, so there is no training to repeat.
        """
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.rescore")
            results = self._models.stored_results(session, model)
            if model.origin != "search":
                raise Conflict(f"{model.name!r} was trained elsewhere, so it cannot be scored again here. Change its pipeline, and register that.")
        source = self._tables.open(actor, model.dataset_id, model.dataset_version, "dataset.use")
        fix, guard = _wanted(request, results, [column.name for column in source.columns])
        recipe = {k: v for k, v in results.recipe.items() if k in Recipe.__dataclass_fields__} | {"time_budget": request.time_budget, "trials": None}
        about = {"fix": fix.label, "guard": guard.code if guard else None, "columns": request.columns or (guard.columns if guard else [])}
        learner = next((each for each in results.leaderboard if each.score is not None and each.family in get_args(Family)), results.best)
        spec = {"recipe": recipe, "learner": learner.model_dump(mode="json"), "change": fix.change, "about": about}
        with self._context.change(actor, "model.rescore", Subject(kind="model", id=model.id)) as change:
            model = self._models.find(actor, change.session, model.id, "model.rescore")
            change.details["fix"] = fix.code
            under_way = self._under_way(change.session, model.id, spec)
            job = under_way or add_job(self._context, change, "rescore", thing_of(model), Subject(kind="model", id=model.id), model.name, spec).id
        return self._jobs.get(actor, job)

    def _under_way(self, session: Session, model_id: str, spec: dict[str, Any]) -> str | None:
        """The job that does the same already."""
        for job in queue.unfinished(session, model_id):
            if job.kind == "rescore" and self._context.unseal(session, model_id, place_of(job), job.sealed) == spec:
                return job.id
        return None


def _wanted(request: RescoreRequest, results: Results, columns: list[str]) -> tuple[Fix, Guard | None]:
    """The change that is tried, and the finding that it answers."""
    unknown = [name for name in request.columns if name not in columns or name == results.target]
    if unknown:
        raise ColumnUnknown(f"There is no column {unknown[0]!r} to leave out. Choose among the columns that the model learned from.")
    asked = Recipe(target=results.target, **{k: results.recipe.get(k, []) for k in ("exclude", "allow")})
    if request.guard is None:
        if not request.columns or request.fix is not None:
            raise Invalid("Name the finding whose fix is to be tried, or the columns to score without.")
        named = [guard for guard in results.guards if guard.code == "leakage" and set(request.columns) <= set(guard.columns)]
        return drop_columns(asked, request.columns), named[0] if named else None
    found = [guard for guard in results.guards if guard.code == request.guard]
    fixes = [(fix, guard) for guard in found for fix in guard.fixes if request.fix in (None, fix.code)]
    if not fixes:
        able = sorted({guard.code for guard in results.guards if guard.fixes})
        among = f"Findings with a fix: {', '.join(able)}." if able else "No finding of this model has a fix."
        raise Invalid(f"There is no fix {request.fix + ' ' if request.fix else ''}for {request.guard} here. {among}")
    if not request.columns:
        return fixes[0]
    guard = next((each for each in found if set(request.columns) <= set(each.columns)), None)
    if guard is None or not guard.fixes:
        raise Invalid("These columns are not what was found. Leave them out, or choose among those of the finding.")
    return drop_columns(asked, request.columns), guard
