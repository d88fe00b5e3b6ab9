"""Lists the methods of evidence, in the order of the page.

To add one: a new file with the functions below, and its row in `METHODS`. `run` then gathers it and ends its report
with its text, the page draws it, its own command prints it, `verify` makes it again or says that it was taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.evidence import critique, gathering, shapes
from backtests.evidence.attribution import attribution
from backtests.evidence.attribution.gap_split import gap_split
from backtests.evidence.gathering import Document, Gathering
from backtests.evidence.tear_sheet.tear_sheet import tear_sheet
from backtests.evidence.twins import flawless_twin, masked_twin
from backtests.records.record import RunRecord
from backtests.records.shape import Shape
from backtests.report.page.evidence.evidence_sections import (
    attribution_section,
    critique_section,
    delay_section,
    gaps_section,
    missing_note,
    placebo_section,
    study_section,
    trials_section,
)
from backtests.report.page.evidence.resample_section import resample_section
from backtests.report.page.evidence.signal_section import signal_section
from backtests.report.page.evidence.tear_sheet_section import tear_sheet_section
from backtests.report.text.evidence_text import (
    attribution_text,
    critique_text,
    delay_text,
    gaps_text,
    gravest_text,
    placebo_text,
    study_text,
    trials_text,
)
from backtests.report.text.resample_text import resample_text
from backtests.report.text.signal_text import signal_text
from backtests.report.text.tear_sheet_text import tear_sheet_text
from feeds.errors import InputError, did_you_mean
from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Describes one method: what it gathers of a run, and how that is shown."""

    name: str  # of evidence/NAME.json, and of its document
    text: Callable[[Mapping[str, Any]], str]  # its document for a terminal
    page_section: Callable[[Mapping[str, Any]], str]  # its document as HTML: a part of the page's section of evidence
    shape: Shape  # of its document, as far as it is read again
    gather: Callable[[Gathering], Document] | None = None  # makes its document with every run; None: it is added later
    in_report: bool = False  # does the report of a run end with its text?
    in_short: Callable[[Mapping[str, Any]], str] | None = None  # what stands on the first screen instead of its text
    on_request: str = ""  # the command that adds its document to a run's folder, or puts a longer one there
    ask: Callable[[Gathering], Document] | None = None  # makes its document within a run, where that is asked for
    replays: float = 0.0  # how long that takes, in times of the run's own replay (measured on deepseek-2025)
    longer: Callable[[Mapping[str, Any]], bool] = lambda _: False  # was this document put there by the command?

    def stands(self, document: Mapping[str, Any]) -> bool:
        """Says whether a run that is made again takes this document over instead of gathering it anew."""
        return self.gather is None or self.longer(document)


METHODS = (
    Evidence(
        name="study", shape=shapes.STUDY, on_request="study", text=study_text, page_section=study_section,
        ask=gathering.ask_study, replays=2,
    ),
    Evidence(
        name="gaps", shape=shapes.GAPS, text=gaps_text, page_section=gaps_section,
        gather=lambda run: gap_split(run.attributions, run.episode, run.news),
    ),
    Evidence(
        name="placebo", shape=shapes.PLACEBO, on_request="placebo", text=placebo_text, page_section=placebo_section,
        ask=gathering.ask_placebo, replays=1,
    ),
    Evidence(
        name="resample", shape=shapes.RESAMPLE, on_request="resample", text=resample_text,
        page_section=resample_section, ask=gathering.ask_resample, replays=23,
    ),
    Evidence(
        name="signal", shape=shapes.SIGNAL, on_request="signal", text=signal_text, page_section=signal_section,
        ask=gathering.ask_signal, replays=1,
    ),
    Evidence(
        name="tear_sheet", shape=shapes.TEAR_SHEET, text=tear_sheet_text, page_section=tear_sheet_section,
        gather=lambda run: tear_sheet(run.record, run.episode),
    ),
    Evidence(
        name="delay", shape=shapes.DELAY, on_request="delay", text=delay_text, page_section=delay_section,
        ask=gathering.ask_delay, replays=6,
    ),
    Evidence(
        name="masked", shape=masked_twin.SHAPE, on_request="masked", text=masked_twin.masked_text,
        page_section=masked_twin.masked_section,
    ),
    Evidence(  # by `backtest flawless`; needs labels, which few news have, so that no page names it as missing
        name="flawless", shape=flawless_twin.SHAPE, text=flawless_twin.flawless_text,
        page_section=flawless_twin.flawless_section,
    ),
    Evidence(
        name="attribution", shape=shapes.ATTRIBUTION, on_request="attribute", text=attribution_text,
        page_section=attribution_section,
        gather=lambda run: attribution.document(run.attributions, run.episode),
        longer=lambda document: any(each["leave_one_out"] for each in document["strategies"]),
    ),
    Evidence(name="trials", shape=shapes.TRIALS, in_report=True, text=trials_text, page_section=trials_section),
    Evidence(
        name="critique", shape=shapes.CRITIQUE, in_report=True, text=critique_text, in_short=gravest_text,
        page_section=critique_section,
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


def asked(names: str) -> tuple[Evidence, ...]:
    """Returns the methods that `run --evidence` names: "all", or names with commas between them.

    Raises:
        InputError: A method that cannot be asked for.
    """
    can = {each.name: each for each in METHODS if each.ask is not None}
    wanted = list(can) if names == "all" else [name.strip() for name in names.split(",")]
    wrong = next((name for name in wanted if name not in can), None)
    if wrong is not None:
        raise InputError(f"--evidence {wrong!r}: {did_you_mean(wrong, [*can, 'all'])}")
    return tuple(can[name] for name in can if name in wanted)


def gather(
    record: RunRecord,
    rules: Sequence[Rule],
    episode: Episode,
    news: News,
    *,
    unplaced: News | None = None,
    more: Sequence[Evidence] = (),
    on_progress: Callable[[str], None] | None = None,
) -> None:
    """Adds to a run's evidence what every run is told about itself.

    Args:
        record: The run; what its evidence holds of configurations tried goes into the critique.
        rules: Its rules, in the order of its strategies.
        episode: What it was made from.
        news: Its placed news.
        unplaced: Its news as read, for the methods that place it themselves.
        more: Methods that are made within the run too, from `asked`.
        on_progress: Called with the name of each of those before it begins.
    """
    run = Gathering(record=record, rules=rules, episode=episode, news=news, unplaced=unplaced)
    for method in more:
        if method.ask is not None:
            if on_progress:
                on_progress(method.name)
            record.evidence[method.name] = method.ask(run)
    for method in METHODS:
        if method.gather is not None:
            record.evidence[method.name] = method.gather(run)


def report_end(evidence: Mapping[str, Mapping[str, Any]], *, short: bool = False) -> str:
    """Returns what the terminal report of a run ends with; `short` is for the first screen, without empty lines."""
    shown = [each for each in METHODS if each.in_report and each.name in evidence]
    if short:
        return "".join((each.in_short or each.text)(evidence[each.name]) for each in shown)
    return "".join("\n" + each.text(evidence[each.name]) for each in shown)


def page_sections(evidence: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns the parts of the page's section of evidence, and a note that names the commands that would add more."""
    parts = [each.page_section(evidence[each.name]) for each in METHODS if each.name in evidence]
    missing = [each.on_request for each in METHODS if each.on_request and each.name not in evidence]
    return [*parts, missing_note(missing)] if missing else parts
