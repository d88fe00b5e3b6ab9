"""Lists the methods of evidence, in the order of the page.

To add one: a new file with the functions below, and its row in `METHODS`. `run` then gathers it and ends its report
with its text, the page draws it, its own command prints it, `verify` makes it again or says that it was taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.evidence import critique, shapes
from backtests.evidence.attribution import attribution
from backtests.evidence.attribution.gap_split import gap_split
from backtests.records.record import RunRecord
from backtests.records.shape import Shape
from backtests.report.page.evidence_sections import (
    attribution_section,
    critique_section,
    delay_section,
    gaps_section,
    missing_note,
    placebo_section,
    study_section,
    trials_section,
)
from backtests.report.page.resample_section import resample_section
from backtests.report.text.evidence_text import (
    attribution_text,
    critique_text,
    delay_text,
    gaps_text,
    placebo_text,
    study_text,
    trials_text,
)
from backtests.report.text.resample_text import resample_text
from strategies.rule import Rule

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """Holds what a method is given of a run that was just made."""

    record: RunRecord
    rules: Sequence[Rule]  # in the order of the record's strategies
    episode: Episode
    news: News  # placed

    @cached_property
    def attributions(self) -> list[attribution.Attribution]:
        """Attributes the profit of each strategy, once for all methods that ask for it."""
        return attribution.attribute(self.record, self.rules, self.episode, self.news)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Describes one method: what it gathers of a run, and how that is shown."""

    name: str  # of evidence/NAME.json, and of its document
    text: Callable[[Mapping[str, Any]], str]  # its document for a terminal
    page_section: Callable[[Mapping[str, Any]], str]  # its document as HTML: a part of the page's section of evidence
    shape: Shape  # of its document, as far as it is read again
    gather: Callable[[Gathering], Document] | None = None  # makes its document with every run; None: it is added later
    in_report: bool = False  # does the report of a run end with its text?
    on_request: str = ""  # the command that adds its document to a run's folder, or puts a longer one there
    longer: Callable[[Mapping[str, Any]], bool] = lambda _: False  # was this document put there by the command?

    def stands(self, document: Mapping[str, Any]) -> bool:
        """Says whether a run that is made again takes this document over instead of gathering it anew."""
        return self.gather is None or self.longer(document)


METHODS = (
    Evidence(name="study", shape=shapes.STUDY, on_request="study", text=study_text, page_section=study_section),
    Evidence(
        name="gaps", shape=shapes.GAPS, text=gaps_text, page_section=gaps_section,
        gather=lambda run: gap_split(run.attributions, run.episode, run.news),
    ),
    Evidence(
        name="placebo", shape=shapes.PLACEBO, on_request="placebo", text=placebo_text, page_section=placebo_section,
    ),
    Evidence(
        name="resample", shape=shapes.RESAMPLE, on_request="resample", text=resample_text,
        page_section=resample_section,
    ),
    Evidence(name="delay", shape=shapes.DELAY, on_request="delay", text=delay_text, page_section=delay_section),
    Evidence(
        name="attribution", shape=shapes.ATTRIBUTION, on_request="attribute", text=attribution_text,
        page_section=attribution_section,
        gather=lambda run: attribution.document(run.attributions, run.episode),
        longer=lambda document: any(each["leave_one_out"] for each in document["strategies"]),
    ),
    Evidence(name="trials", shape=shapes.TRIALS, in_report=True, text=trials_text, page_section=trials_section),
    Evidence(
        name="critique", shape=shapes.CRITIQUE, in_report=True, text=critique_text, page_section=critique_section,
        gather=lambda run: critique.criticise(run.record, run.attributions, run.record.evidence.get("trials")),
    ),
)  # fmt: skip


def method_named(name: str) -> Evidence:
    """Returns the method of that name.

    Raises:
        KeyError: There is none.
    """
    return {each.name: each for each in METHODS}[name]


def shape_of(name: str) -> Shape:
    """Returns what the saved document of a method looks like; anything where there is no such method."""
    return next((each.shape for each in METHODS if each.name == name), {})


def gather(record: RunRecord, rules: Sequence[Rule], episode: Episode, news: News) -> None:
    """Adds to a run's evidence what every run is told about itself.

    Args:
        record: The run; what its evidence holds of configurations tried goes into the critique.
        rules: Its rules, in the order of its strategies.
        episode: What it was made from.
        news: Its placed news.
    """
    run = Gathering(record=record, rules=rules, episode=episode, news=news)
    for method in METHODS:
        if method.gather is not None:
            record.evidence[method.name] = method.gather(run)


def report_end(evidence: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns what the terminal report of a run ends with."""
    return "".join(
        "\n" + each.text(evidence[each.name]) for each in METHODS if each.in_report and each.name in evidence
    )


def page_sections(evidence: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns the parts of the page's section of evidence, and a note that names the commands that would add more."""
    parts = [each.page_section(evidence[each.name]) for each in METHODS if each.name in evidence]
    missing = [each.on_request for each in METHODS if each.on_request and each.name not in evidence]
    return [*parts, missing_note(missing)] if missing else parts
