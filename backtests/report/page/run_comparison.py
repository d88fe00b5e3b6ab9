"""Draws several runs on one page: what each was made from, and every strategy on one scale."""

from __future__ import annotations

from collections.abc import Sequence

from backtests.records.record import RunRecord
from backtests.records.run_diff import differences
from backtests.report.page.markup import Markup, esc, figure, listing, section, table
from backtests.report.page.strategies import Curve, curves, panels
from backtests.report.page.timeline import timeline
from backtests.report.text.limits import limits
from backtests.report.text.run_report import result_head, result_rows


def comparison(named: Sequence[tuple[str, RunRecord]]) -> tuple[str, list[str]]:
    """Returns the title and the body of the page of several runs, each with the name it is shown under."""
    title = f"{len(named)} runs beside each other"
    head = (
        f'<a class="skip" href="#main">Skip to the runs</a><header><p class="kicker">Aftershock</p>'
        f"<h1>{esc(title)}</h1>"
        f'<p class="standfirst">{esc(", ".join(name for name, _ in named))}</p></header>'
    )
    sections = (part(named) for part in (_made_from, _news, _results, _differences, _limits))
    return title, [head, f'<main id="main">{"".join(sections)}</main>']


def _made_from(named: Sequence[tuple[str, RunRecord]]) -> Markup:
    rows = [
        (
            name,
            run.document["episode"],
            f"{run.document['window']['start']} to {run.document['window']['end']}",
            str(run.document["headlines"]["total"]),
            str(run.config["scorer"]) + _contaminated(run),
            run.hash8,
        )
        for name, run in named
    ]
    head = ("run", "episode", "window", "headlines", "scorer", "hash")
    return section("runs", "The runs", "", table(head, rows, "What each run was made from", left=6))


def _news(named: Sequence[tuple[str, RunRecord]]) -> Markup:
    """Draws the news over the price where all runs saw the same of both; else says where to look for it."""
    first = named[0][1]
    if all(run.tables[name].rows == first.tables[name].rows for _, run in named for name in ("scores", "bars")):
        return timeline(first)
    note = "The runs saw other headlines, scores or prices, so there is no one timeline: each run's own page has its."
    return section("news", "The news over the price", note)


def _contaminated(run: RunRecord) -> str:
    """Marks a run whose scorer may have learned from the episode."""
    facts = run.document.get("scorer") or {}
    return f" (CONTAMINATED: trained until {facts['trained_until']})" if facts.get("contaminated_for") else ""


def _results(named: Sequence[tuple[str, RunRecord]]) -> Markup:
    shown: dict[str, Curve] = {}
    summaries = []
    for name, run in named:
        for each in run.document["results"]:
            title = f"{each['label']} · {name}"
            shown[title] = curves(run)[each["label"]]
            summaries.append((title, each))
    summaries.sort(key=lambda pair: (pair[1]["baseline"], pair[1]["label"]))
    rows = [(row[0], name, *row[1:]) for name, run in named for row in result_rows(run)]
    rows.sort(key=lambda row: ("·=".find(row[0][0]), row[0]))  # strategies, baselines, benchmarks
    caption = "Return in percent of the cash at the start, all on one scale; drawdown and net exposure below it."
    listed = table(("strategy", "run", *result_head()[1:]), rows, "Percent and US dollars", left=2)
    return section("results", "Every strategy of every run", "", figure(caption, panels(summaries, shown)), listed)


def _differences(named: Sequence[tuple[str, RunRecord]]) -> Markup:
    first_name, first = named[0]
    parts: list[str] = []
    for name, run in named[1:]:
        lines = [f"{part}: {line}" for part, found in differences(first, run).items() for line in found]
        parts.append(f"<h3>{esc(first_name)} and {esc(name)}</h3>")
        parts.append(listing(lines) if lines else "<p>The same in every respect.</p>")
    return section("differences", "Why they differ", "Each run against the first.", *parts)


def _limits(named: Sequence[tuple[str, RunRecord]]) -> Markup:
    lines = list(dict.fromkeys(line for _, run in named for line in limits(run)))
    return section("limits", "What this does not show", "", listing(lines))
