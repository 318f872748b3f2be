"""Where the sample tables are that come with the package."""

from __future__ import annotations

from pathlib import Path

from dapp_ext.errors import NotFound

_FOLDER = Path(__file__).resolve().parent.parent / "samples"


def sample_names() -> list[str]:
    """Names of the sample tables, for :func:`sample_path`."""
    return sorted(path.stem for path in _FOLDER.glob("*.csv"))


def sample_path(name: str) -> Path:
    """The file of a sample table.

    Parameters
    ----------
    name : str
        ``"adult_income"`` (3,000 people, predicts an income class), ``"penguins"`` (344 penguins of three species) or
        ``"seoul_bikes"`` (2,190 hours, predicts a number of bicycles). Sources and licences stand beside the files.

    Raises
    ------
    NotFound
        If there is no sample of that name.
    """
    path = _FOLDER / f"{name}.csv"
    if name not in sample_names():
        raise NotFound(f"There is no sample named {name!r}. The samples are: {', '.join(sample_names())}.")
    return path
