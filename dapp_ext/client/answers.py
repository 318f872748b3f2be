"""Short answers of the server that draw themselves: the shape of the wire, and how it reads."""

from __future__ import annotations

from dapp_ext.client.drawing import amount, card, number, paragraph, size_text, table, text_table
from dapp_ext.schema.datasets import UsageRead
from dapp_ext.schema.serving import CheckRead, PolicyRead
from dapp_ext.schema.versions import Dependents as DependentsRead

_NAMED = 8


class Drawn:
    """Draws itself as a title, a sentence, and facts by name."""

    def _told(self) -> tuple[str, str, list[tuple[str, str]]]:
        raise NotImplementedError

    def __repr__(self) -> str:
        title, sentence, facts = self._told()
        shown = text_table(("", ""), facts).lstrip() if facts else ""
        return "\n".join(each for each in (f"{title}: {sentence}", shown) if each)

    def _repr_html_(self) -> str:
        title, sentence, facts = self._told()
        return card(title, paragraph(sentence, "lead"), table(("", ""), facts) if facts else "")


class Usage(Drawn, UsageRead):
    """Bytes that an account stores, and may store."""

    def _told(self) -> tuple[str, str, list[tuple[str, str]]]:
        said = f"{size_text(self.used)} stored" + (f" of {size_text(self.quota)}; {size_text(self.free or 0)} are free." if self.quota is not None else ".")
        facts = [("datasets", size_text(self.datasets)), ("models", size_text(self.models)), ("largest file that may be sent", size_text(self.upload_limit))]
        return "Storage", said, facts


class Fit(Drawn, CheckRead):
    """How columns fit a model."""

    def _told(self) -> tuple[str, str, list[tuple[str, str]]]:
        facts = [(what, _listed(names)) for what, names in (("missing", self.missing), ("not used", self.new)) if names]
        facts += [("of another kind", f"{each.column}: {each.expected} was learned from, {each.given} is given") for each in self.retyped]
        facts += [("perhaps renamed", f"{each.missing} → {each.perhaps}") for each in self.renamed]
        return f"{self.model.name} version {self.model_version}", self.sentence, facts


class Policy(Drawn, PolicyRead):
    """From which probability on a model says yes."""

    def _told(self) -> tuple[str, str, list[tuple[str, str]]]:
        figures = (("named", self.named), ("right", self.right), ("missed", self.missed), ("cost", self.cost))
        facts = [(f"{what} of 1,000" if what != "cost" else "cost of 1,000", number(value)) for what, value in figures if value is not None]
        facts += [("reason", self.reason)] if self.reason else []
        return f"{self.model.name}: “{self.positive}” from {number(self.threshold)} on", self.sentence, facts


class Dependents(Drawn, DependentsRead):
    """What was made from a dataset."""

    def _told(self) -> tuple[str, str, list[tuple[str, str]]]:
        kinds = (("models", self.models), ("predictions", self.predictions))
        facts = [(what, _listed([each.name for each in things])) for what, things in kinds if things]
        facts += [("not shared with you", f"{self.unseen:,}")] if self.unseen else []
        facts += [("later versions", ", ".join(map(str, self.later)))] if self.later else []
        facts += [("work under way", amount(self.jobs, "job"))] if self.jobs else []
        facts += [("shared with", amount(self.people, "person", "people"))] if self.people else []
        said = "Nothing was made from it." if not facts else "This was made from it, or is about it."
        return "Dependents", f"{said} {size_text(self.bytes)} in {amount(self.versions, 'version')}.", facts


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
