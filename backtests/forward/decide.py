"""Decides for the coming session: replays each rule to it, and reads what it decided and which orders wait."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.replayed import Replayed
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.engine.table_checks import check_tables
from backtests.episodes.episode import Episode
from backtests.records.record import label
from backtests.user_strategies.loading import reloaded
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import NewsItem
from strategies.view import Market, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Holds an order for the coming open. `shares` are of that session, sells negative."""

    symbol: str
    shares: float
    price: float  # US dollars a share: the last close, which sized it


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Holds what one rule decided for the coming session."""

    label: str
    rule: Rule
    targets: dict[str, float]  # weights that stand, fractions of equity; a symbol that is not named is flat
    changed: tuple[tuple[str, float, float], ...]  # symbol, weight at the decision before, weight now
    orders: tuple[Order, ...]
    equity: float  # US dollars, of the account that the orders are sized for, at the last close
    waits_for: str = ""  # "the open" or "the close" where the rule decides only after it; then nothing is decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Holds an account of the user's own."""

    cash: float  # US dollars
    shares: dict[str, float]


def decide(
    cut: Episode, news: News, rules: Sequence[Rule], terms: BrokerTerms, held: Positions | None = None
) -> list[Decision]:
    """Decides with each rule for the window's last session, which has no prices yet.

    Args:
        cut: From `cut_before`.
        news: What was known by the decision.
        rules: The rules.
        terms: Costs and margin of the paper accounts.
        held: The account to order for; None: each rule's paper account, the replay so far.

    Raises:
        InputError: A strategy of the user's fails, or a table of decisions does not fit.
    """
    if cut.intraday is not None:
        raise InputError("bars of minutes have no coming auction; decide on daily bars")
    check_tables(cut, rules)
    market = make_market(cut, place_news(cut, news, terms))
    return [_decided(cut, market, rule, label(rule, rules), terms, held) for rule in rules]


def _decided(
    cut: Episode, market: Market, rule: Rule, name: str, terms: BrokerTerms, held: Positions | None
) -> Decision:
    replayed = run_rule(cut, market, reloaded(rule), terms)
    session = cut.end.isoformat()
    before = _standing([row for row in replayed.decisions if row[0] < session])
    now = _standing(replayed.decisions)
    waits_for = "the open" if rule.after_open else "the close" if terms.auctions == "close" else ""
    prices = last_prices(cut, market)
    if held is None:
        orders = _waiting(cut, replayed, prices, terms)
        equity = replayed.days[-1].equity if replayed.days else terms.cash
    else:
        orders = () if waits_for else orders_to(now, held, prices, terms)
        equity = worth(held, prices)
    return Decision(
        label=name,
        rule=rule,
        targets={symbol: weight for symbol, weight in now.items() if weight},
        changed=tuple(
            (symbol, before.get(symbol, 0.0), now.get(symbol, 0.0))
            for symbol in market.symbols
            if before.get(symbol, 0.0) != now.get(symbol, 0.0)
        ),
        orders=orders,
        equity=equity,
        waits_for=waits_for,
    )


def _standing(decisions: Sequence[tuple[str, str, float]]) -> dict[str, float]:
    """Returns the newest weight of each symbol, in the order of the first decisions."""
    return {symbol: weight for _, symbol, weight in decisions}


def _waiting(cut: Episode, replayed: Replayed, prices: Mapping[str, float], terms: BrokerTerms) -> tuple[Order, ...]:
    """Returns the orders that wait for the coming open: the window ends there, so they are those it left unfilled."""
    table = cut.sessions.sessions
    ratios = {
        each.symbol: each.value
        for each in cut.actions
        if cut.adjusted == "none" and each.kind == "split" and table[cut.window[-1] - 1] < each.ex_date <= cut.end
    }
    sizes: dict[str, float] = {}
    for order in replayed.orders:
        if not order.session and "end of window" in order.reason:
            left = (order.size - order.filled) * ratios.get(order.symbol, 1.0)
            sizes[order.symbol] = sizes.get(order.symbol, 0.0) + terms.shares(left)
    return tuple(Order(symbol=s, shares=size, price=prices[s]) for s, size in sizes.items() if size)


def last_prices(cut: Episode, market: Market) -> dict[str, float]:
    """Returns each symbol's last close, in shares of the coming session; NaN where it never traded."""
    closes = View(market, cut.window[-1], after_open=False).closes
    found = {}
    for column, symbol in enumerate(market.symbols):
        known = closes[:, column][closes[:, column] > 0]
        found[symbol] = float(known[-1]) if len(known) else math.nan
    return found


def orders_to(
    targets: Mapping[str, float], held: Positions, prices: Mapping[str, float], terms: BrokerTerms
) -> tuple[Order, ...]:
    """Returns the orders from an account to the targets, drift included, at the last closes.

    Raises:
        InputError: A position in a share that is not traded here.
    """
    equity = worth(held, prices)
    found = []
    for symbol in dict.fromkeys([*targets, *held.shares]):
        wanted = terms.shares(targets.get(symbol, 0.0) * equity / prices[symbol])
        size = wanted - held.shares.get(symbol, 0.0)
        if abs(size) * prices[symbol] > 1e-9 * abs(equity):
            found.append(Order(symbol=symbol, shares=size, price=prices[symbol]))
    return tuple(found)


def worth(held: Positions, prices: Mapping[str, float]) -> float:
    """Returns an account's equity at the last closes, in US dollars.

    Raises:
        InputError: A position in a share that has no price here.
    """
    for symbol in held.shares:
        if not prices.get(symbol, math.nan) > 0:
            raise InputError(f"positions: {symbol} has no price here; leave it out, with its value out of cash")
    return held.cash + sum(size * prices[symbol] for symbol, size in held.shares.items())


def read_positions(path: Path) -> Positions:
    """Reads an account: CSV rows `symbol,shares`, and one `cash,DOLLARS`.

    Raises:
        InputError: It is no such file; with file and line.
    """
    shares: dict[str, float] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            for cells in rows:
                if rows.line_num == 1 and [each.strip().lower() for each in cells] == ["symbol", "shares"]:
                    continue
                if not cells:
                    continue
                place = f"{path}:{rows.line_num}"
                try:
                    symbol, number = cells[0].strip(), float(cells[1])
                except (IndexError, ValueError):
                    number = math.nan
                if len(cells) != 2 or not math.isfinite(number) or not symbol.isprintable() or not symbol:
                    raise InputError(f"{place}: {','.join(cells)!r:.60}: give symbol,shares, or cash,DOLLARS")
                if symbol in shares:
                    raise InputError(f"{place}: {symbol} is there twice; add the two up")
                shares[symbol] = number
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror}); give a CSV of symbol,shares") from None
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise InputError(f"{path}: is no CSV in UTF-8 ({wrong}); save it as one") from None
    if "cash" not in shares:
        raise InputError(f"{path}: has no row of cash; add cash,DOLLARS")
    cash = shares.pop("cash")
    return Positions(cash=cash, shares=shares)


def headline_row(item: NewsItem) -> dict[str, Any]:
    """Returns a headline as JSON has it: when it was known, its words, its scores and what pulled them."""
    head, score = item.headline, item.score
    return {
        "id": head.id,
        "known_at": item.known_at.isoformat(),
        "title": head.title,
        "source": head.source,
        "sentiment": float(score.sentiment),
        "tone": float(score.tone),
        "relevance": float(score.relevance),
        "features": list(score.features),
        "link": head.link,
    }


def headlines_for(news: News, row: int) -> list[NewsItem]:
    """Returns the headlines about AI that can first be traded in the session of a row, strongest first."""
    found = [item for item in news.items if item.used and item.session == row]
    return sorted(found, key=lambda item: (-abs(item.score.relevance * item.score.sentiment), item.known_at))
