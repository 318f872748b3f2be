"""What a training is asked for, and how it speaks to the world meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from dapp_ext.schema.models import Cleaning, Family, Guard, Task, Trial, Validation


@dataclass(frozen=True)
class Recipe:
    """All that is asked of a training; what is None is chosen and said aloud in the results.

    Parameters
    ----------
    target : str
        Column to predict.
    time_budget : float
        Seconds of wall time for everything: guards, search, final fit and explanation.
    trials : int, optional
        Number of candidates. With it the same seed gives the same result, as long as the time budget does not end first.
    params : dict
        Fixed hyperparameters by family, then by name.
    exclude : list of str
        Columns that are not used.
    group, time_column : str, optional
        The column whose equal values stay on one side, and the one that orders the rows in time.
    allow : list of str
        Columns that are used though a guard would hold them back.
    clean : list of str
        What is done to rows that a guard has found.
    missing : dict
        By column, the values that stand for missing.
    threads : int
        Cores that the search may use: by time, it checks as many candidates side by side.
    """

    target: str
    task: Task | None = None
    metric: str | None = None
    validation: Validation | None = None
    families: list[Family] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    exclude: list[str] = field(default_factory=list)
    group: str | None = None
    time_column: str | None = None
    allow: list[str] = field(default_factory=list)
    clean: list[Cleaning] = field(default_factory=list)
    missing: dict[str, list[Any]] = field(default_factory=dict)
    time_budget: float = 60.0
    trials: int | None = None
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Wishes:
    """What people want of a search that goes on: more seconds than the budget, and families that are not to be tried any more."""

    extra_seconds: float = 0.0
    skipped: frozenset[str] = frozenset()


class Watch(Protocol):
    """How a search speaks to the world. All methods are called on the thread that called ``train``."""

    def began(self, task: Task, metric: str) -> None:
        """What is learned and by which measure, once both are settled; called once, before the guards."""

    def guards(self, guards: list[Guard]) -> None:
        """The checks are done; called once, before anything is scored."""

    def trial(self, trial: Trial, seconds_left: float | None) -> None:
        """A candidate has ended."""

    def progress(self, fraction: float, message: str) -> None:
        """How far the work is, from 0 to 1, and what is going on."""

    def should_stop(self) -> bool:
        """Whether the search should end now and keep the best so far; asked about four times a second."""

    def wishes(self) -> Wishes:
        """What is wanted besides stopping; asked as often."""
