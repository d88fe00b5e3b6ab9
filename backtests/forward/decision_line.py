"""Makes the lines of a record: a decision for the coming session, or a void one and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from backtests.engine.news import News, read_archive
from backtests.episodes.episode import Episode
from backtests.forward.chain import Line
from backtests.forward.coming import Coming, cut_before, ended, last_bar
from backtests.forward.decide import Decision, decide, headlines_for
from backtests.forward.kept_bars import Held, digest_of, held_of
from backtests.forward.registration import Portfolio
from backtests.user_strategies.decision_table import DecisionTable, table_type, text_of
from feeds.archive import Archive
from feeds.errors import InputError
from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Holds a decision as it goes into the record, and what it was made of."""

    fields: dict[str, Any]
    held: Held  # the bars it read
    news: News
    row: int  # of the session


def decide_line(
    portfolio: Portfolio,
    rule: Rule | None,
    episode: Episode,
    coming: Coming,
    archive: Archive,
    lines: Sequence[Line],
    *,
    targets: dict[str, float] | None = None,
) -> Made:
    """Decides for the coming session on what is known now.

    Args:
        portfolio: Which one.
        rule: Its rule; None where a table of decisions decides.
        episode: Its universe with the prices of now.
        coming: The session.
        archive: The news.
        lines: The record so far, from which its paper account follows.
        targets: What was decided, where neither rule nor table is asked.

    Raises:
        InputError: A closed session has no prices, or an input cannot be read.
    """
    cut = cut_before(episode, coming, start=portfolio.start)
    _check_complete(episode, coming)
    cut, news = read_archive(cut, archive, scorer=portfolio.scorer, until=coming.known_by)
    if targets is not None:
        pass
    elif rule is not None:
        (made,) = decide(cut, news, [rule], portfolio.terms)
        targets = made.targets
    else:
        targets = _from_table(portfolio, cut, coming, lines)
    account = account_rule(portfolio.name, lines, cut.benchmark, {"session": coming.session.isoformat(),
                           "targets": targets, "decided_at": coming.known_by.isoformat()})  # fmt: skip
    ordered: Decision = decide(cut, news, [account], portfolio.terms)[0]
    held = held_of(cut.prices)
    last = max(day for symbol in cut.tradable if (day := last_bar(cut, symbol, coming)) is not None)
    fields = {
        "kind": "decision",
        "session": coming.session.isoformat(),
        "deadline": coming.deadline.isoformat(),
        "known_by": coming.known_by.isoformat(),
        "targets": targets,
        "orders": {order.symbol: order.shares for order in ordered.orders},
        "equity": ordered.equity,
        "news": {
            "digest": cut.sources["archive"],
            "known": len(news.items),
            "ids": sorted(item.headline.id for item in headlines_for(news, coming.row)),
        },
        "prices": {"last": last.isoformat(), "digest": digest_of(held)},
        "archive": archive.seal(),
    }
    return Made(fields=fields, held=held, news=news, row=coming.row)


def _check_complete(episode: Episode, coming: Coming) -> None:
    """Refuses prices in which some symbols have the last close and others do not: who is late is not delisted."""
    stated = {symbol for symbol, _, _ in episode.delistings}
    late = {symbol: day for symbol, day in ended(episode, coming).items() if symbol not in stated}
    if late:
        symbol, day = next(iter(late.items()))
        raise InputError(
            f"prices: {symbol} has no bar after {day}, and {coming.before} has closed; add it, or state its end in "
            "delistings.csv, its halt in halts.csv"
        )


def _from_table(portfolio: Portfolio, cut: Episode, coming: Coming, lines: Sequence[Line]) -> dict[str, float]:
    """Takes the coming session's rows of a table of decisions; without any, the last recorded targets stand."""
    path = portfolio.decisions
    if path is None:
        raise InputError(f"{portfolio.folder}: has neither a rule nor a table of decisions")
    try:
        made = table_type(str(path), path.read_bytes().decode())()
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path}: cannot be read ({wrong}); give the table of decisions") from None
    if coming.session not in made.days:
        standing = [line["targets"] for line in lines if line["kind"] == "decision"]
        return dict(standing[-1]) if standing else {}
    sectors = [name for name, members in cut.sectors.items() for _ in members]
    own = [row for row in made.table.rows if row.session == coming.session]
    text = text_of([(str(r.session), r.symbol, r.weight, r.decided_at.isoformat()) for r in own], made.name)
    table_type(str(path), text)().check(cut.sessions, cut.lead, cut.tradable, sectors, cut.benchmark)
    return {symbol: weight for symbol, weight in made.targets[made.days.index(coming.session)].items() if weight}


def account_rule(name: str, lines: Sequence[Line], benchmark: str, *more: Line) -> DecisionTable:
    """Makes the recorded decisions a strategy: what the paper account did."""
    rows: list[tuple[str, str, float, str]] = []
    for line in (*(each for each in lines if each["kind"] == "decision"), *more):
        targets = line["targets"] or {benchmark: 0.0}  # a session with rows, all of them flat
        rows += [(line["session"], symbol, weight, line["decided_at"]) for symbol, weight in targets.items()]
    made = table_type(f"{name}.csv", text_of(rows, f"{name} (recorded)"))
    return made(gross=2.0, net_cap=2.0, name_cap=2.0)


def void_line(coming_session: date, deadline: str, reason: str) -> Line:
    """Makes the line of a session that nobody decided for in time."""
    return {"kind": "void", "session": coming_session.isoformat(), "deadline": deadline, "reason": reason}
