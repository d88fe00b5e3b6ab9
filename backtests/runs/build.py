"""Builds a finished run from its replays: tables, figures, configuration. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from backtests.broker.records import CashFlow, Fill, OrderRecord
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News
from backtests.engine.replayed import Replayed
from backtests.episodes.claim_checks import check_claims
from backtests.episodes.episode import Episode
from backtests.records.benchmark_return import benchmark
from backtests.records.contamination import facts_of_news
from backtests.records.metrics import Outcome, cash_returns, figures
from backtests.records.record import Table, label
from backtests.records.round_trips import Trade, round_trips
from backtests.runs.inputs import ARCHIVED, archived_text
from backtests.runs.kept_scorer import source_place, source_row
from backtests.runs.result import Result
from backtests.user_strategies.decision_table import DecisionTable
from feeds.scorers.answer import entities_cell
from strategies.rule import Rule
from strategies.signals import NewsItem, SignalBook


def build_result(episode: Episode, news: News, terms: BrokerTerms, replays: Sequence[Replayed]) -> Result:
    """Builds the `Result` of replays of the same episode, news and terms, one of each strategy."""
    rules = [each.rule for each in replays]
    names = [label(rule, rules) for rule in rules]
    trades = [round_trips(each.fills, each.flows) for each in replays]
    tables = _broker_tables(list(zip(names, replays, trades, strict=True)))
    tables["signals"] = _signals(episode, news)
    tables["scores"] = _scores(episode, news)
    tables["bars"], tables["sessions"] = _bars(episode), _session_times(episode)
    document = {
        "episode": episode.name,
        "title": episode.title,
        "sectors": {name: list(symbols) for name, symbols in episode.sectors.items()},
        "window": {"start": _window(episode)[0], "end": _window(episode)[-1], "sessions": len(_window(episode))},
        "key_session": episode.key_session.isoformat(),
        "headlines": news.counts(),
        "scorer": facts_of_news(news, episode),
        "notes": [*episode.notes, *news.notes],
        "limits": [says for of, says in episode.limits if of != "news" or not news.archived],
        "trading": {"bars": _bar_text(episode), "auctions": terms.auctions},
        "claims": [_claim(claim) for claim in check_claims(episode)],
        "benchmark": benchmark(episode, terms.cash_pct),
        "results": [
            _summary(name, each, mine, episode) for name, each, mine in zip(names, replays, trades, strict=True)
        ],
    }
    texts = {rule.code.place: rule.code.text for rule in rules if rule.code is not None}
    texts |= {rule.table.place: rule.table.text for rule in rules if isinstance(rule, DecisionTable)}
    if news.archived:
        texts[ARCHIVED] = archived_text(news.archived)
    result = Result(tables, document, configuration(episode, news, terms, rules), texts)
    if news.source is not None:
        result.files[source_place(news.source)] = news.source.raw
    result.inputs = {f"inputs/{place}": path for place, path in episode.files}
    return result


def _window(episode: Episode) -> list[str]:
    return [episode.sessions.sessions[index].isoformat() for index in episode.window]


def _bars(episode: Episode) -> Table:
    """Takes the daily bars of the window and of the session before it, which the page draws."""
    table = episode.sessions.sessions
    first, last = table[episode.window[0] - 1], table[episode.window[-1]]
    rows = [
        (symbol, day.isoformat(), *(float(each[row]) for each in (bars.open, bars.high, bars.low, bars.close)))
        for symbol, bars in ((symbol, episode.prices.bars[symbol]) for symbol in episode.symbols)
        for row, day in enumerate(bars.sessions)
        if first <= day <= last
    ]
    return Table(("symbol", "session", "open", "high", "low", "close"), tuple(rows))


def _session_times(episode: Episode) -> Table:
    times = episode.sessions
    rows = (
        (times.sessions[row].isoformat(), times.opens[row].isoformat(), times.closes[row].isoformat())
        for row in range(episode.window[0] - 1, episode.window[-1] + 1)
    )
    return Table(("session", "opens", "closes"), tuple(rows))


def _bar_text(episode: Episode) -> str:
    return "daily" if episode.intraday is None else f"{episode.intraday.length.total_seconds() / 60:g}m"


def _claim(claim: Any) -> dict[str, Any]:
    row = {field.name: getattr(claim, field.name) for field in dataclasses.fields(claim)}
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}


def _summary(name: str, replayed: Replayed, trades: Sequence[Trade], episode: Episode) -> dict[str, Any]:
    sessions = [day.isoformat() for day in episode.sessions.sessions[: episode.window[-1] + 1]]
    cash = cash_returns(sessions[-len(replayed.days) - 1 :], replayed.terms.cash_pct)
    return {
        "strategy": replayed.rule.name,
        "label": name,
        "baseline": replayed.rule.is_baseline,
        "params": replayed.rule.parameters,
        **figures(Outcome.of(replayed, trades, cash)),
        "key_session_fills": [
            {"symbol": fill.symbol, "shares": fill.size, "auction": fill.auction, "price": fill.price}
            for fill in replayed.fills
            if fill.session == episode.key_session.isoformat()
        ],
    }


def _rows_of(name: str, records: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [(name, *(getattr(each, field.name) for field in dataclasses.fields(each))) for each in records]


def _columns(kind: type) -> tuple[str, ...]:
    return ("strategy", *(field.name for field in dataclasses.fields(kind)))


def _broker_tables(named: list[tuple[str, Replayed, list[Trade]]]) -> dict[str, Table]:
    rows: dict[str, list[tuple[Any, ...]]] = {
        key: [] for key in ("equity", "positions", "orders", "fills", "flows", "trades", "targets")
    }
    for name, each, trades in named:
        for day in each.days:
            gross = sum(abs(shares * close) for _, shares, close in day.positions)
            scale = day.equity if day.equity > 0 else float("inf")
            sums = (day.cash, day.value, day.equity, gross / scale, day.value / scale)
            rows["equity"].append((name, day.session, *sums, day.margin_call, day.buying_power))
            rows["positions"] += [(name, day.session, s, n, close, n * close) for s, n, close in day.positions]
        numbers = {order: number for number, order in enumerate(sorted({o.order for o in each.orders}), 1)}
        rows["orders"] += _rows_of(name, (dataclasses.replace(o, order=numbers[o.order]) for o in each.orders))
        rows["fills"] += _rows_of(name, (dataclasses.replace(f, order=numbers.get(f.order, 0)) for f in each.fills))
        rows["flows"] += _rows_of(name, each.flows)
        rows["trades"] += _rows_of(name, trades)
        rows["targets"] += [(name, *decision) for decision in each.decisions]
    columns = {
        "equity": ("strategy", "session", "cash", "positions", "equity", "gross", "net", "margin_call", "buying_power"),
        "positions": ("strategy", "session", "symbol", "shares", "close", "value"),
        "orders": _columns(OrderRecord),
        "fills": _columns(Fill),
        "flows": _columns(CashFlow),
        "trades": _columns(Trade),
        "targets": ("strategy", "session", "symbol", "weight"),
    }
    return {key: Table(columns[key], tuple(rows[key])) for key in columns}


def _signals(episode: Episode, news: News) -> Table:
    """Sums the scores by session, AI-wide, half-life one session; a symbol's signal is this times its exposure."""
    book = SignalBook(news.items, episode.window[0], episode.window[-1])
    series = [
        book.table("count", half_life=None, reactions="include"),
        *(book.table("sentiment", half_life=1.0, reactions=r) for r in ("include", "with-cause", "exclude")),
        book.table("tone", half_life=1.0, reactions="include"),
        book.table("vader", half_life=1.0, reactions="include"),
    ]
    columns = ("session", "headlines", "sentiment_include", "sentiment_with_cause", "sentiment_exclude", "tone")
    return Table(
        (*columns, "vader"),
        tuple(
            (session, int(series[0][row]), *(float(values[row]) for values in series[1:]))
            for row, session in enumerate(_window(episode))
        ),
    )


_SCORES = (
    "id published known_at session source language title relevance sentiment displacement tone reaction cause "
    "story_weight vader used entities features link"
)


def _scores(episode: Episode, news: News) -> Table:
    table = episode.sessions.sessions
    return Table(tuple(_SCORES.split()), tuple(_score_row(item, table) for item in news.items))


def _score_row(item: NewsItem, sessions: Sequence[date]) -> tuple[Any, ...]:
    head, score = item.headline, item.score
    return (
        head.id,
        head.published.isoformat() if head.published else "",
        item.known_at.isoformat(),
        sessions[item.session].isoformat() if item.session is not None else "",
        head.source,
        score.language,
        head.title,
        float(score.relevance),
        float(score.sentiment),
        float(score.displacement),
        float(score.tone),
        score.reaction,
        score.cause,
        float(item.weight),
        item.vader,
        item.used,
        entities_cell(score.entities),
        "; ".join(score.features),
        head.link,
    )


def configuration(episode: Episode, news: News, terms: BrokerTerms, rules: Sequence[Rule]) -> dict[str, Any]:
    """Returns what makes a run: data, scorer, broker's terms, strategies.

    All but the strategies is what configurations in the ledger are keyed by.
    """
    return {
        "episode": episode.name,
        "start": episode.start.isoformat(),
        "end": episode.end.isoformat(),
        "scorer": news.scorer,
        **({} if news.source is None else {"scorer_source": source_row(news.source)}),
        **({} if news.lexicon_as_of is None else {"lexicon_as_of": news.lexicon_as_of.isoformat()}),
        "assumed_delay_minutes": episode.assumed_delay.total_seconds() / 60,
        "latency_minutes": episode.latency.total_seconds() / 60,
        "lead_minutes": episode.lead.total_seconds() / 60,
        "bars": _bar_text(episode),
        "broker": dataclasses.asdict(terms),
        "strategies": [{"name": rule.name, **rule.parameters, **_code(rule)} for rule in rules],
        "sources": dict(sorted(episode.sources.items())),
    }


def _code(rule: Rule) -> dict[str, str]:
    """Says where a user's strategy or decisions stand in the run's folder, which class, and the hash of the text."""
    if isinstance(rule, DecisionTable):
        return {"decisions": rule.table.place, "sha256": rule.table.sha256}
    code = rule.code
    return {} if code is None else {"code": code.place, "class": code.name, "sha256": code.sha256}
