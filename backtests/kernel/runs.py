"""Makes many runs at once: rules on one episode, or one rule on many versions of its news."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtests.batch.news_versions import Versions, renamed, used_items
from backtests.broker.records import Fill
from backtests.broker.terms import BrokerTerms, share_value
from backtests.engine.market import make_market
from backtests.kernel.accounts import AUCTIONS, FILL, KEEP_ACCOUNTS, TERMS, TOTALS, keep_accounts
from backtests.kernel.arrays import Tables, make_tables
from backtests.kernel.decisions import decide
from backtests.kernel.observations import each_market, readings, reads_prices, version_readings
from backtests.kernel.rule_checks import check_step, check_weights
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode

Ints = NDArray[np.int64]
_AT_ONCE = 200_000  # weights at a time, per thread: of 1.6 MB the caches see what changes
_READ_AT_ONCE = 1_000_000  # the same for what many versions of the news observe, which a call reads together


def why_not(episode: Episode, rule: Rule, terms: BrokerTerms) -> str:
    """Says why the compiled engine cannot follow a run; "" when it can."""
    if episode.intraday is not None:
        return "bars of minutes are replayed only"
    if terms.auctions == "open,close":
        return "decisions for both auctions are replayed only"
    if not (rule.steps and rule.compiles()):
        return f"{rule.name} is plain Python: it has a step of its own and no `advance`"
    return ""


class _Plan(NamedTuple):
    """Holds what all runs of a call share."""

    rule: Rule
    at_close: bool
    names: Ints  # columns of the symbols that the rule may hold
    sources: Ints  # shape (runs or 1, names): columns of the bars behind them
    asked: NDArray[np.bool_]  # shape (runs or 1, sessions)
    seen: Floats  # shape (readings, sessions, rows, symbols)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Holds what many runs left behind.

    Attributes:
        equity: US dollars at each close, shape (runs, sessions); NaN where no symbol of the rule had a bar.
        totals: By the names of `TOTALS`, shape (runs,) each.
    """

    equity: Floats
    totals: dict[str, Floats]

    @property
    def final(self) -> Floats:
        """Returns equity at the last close with a bar, shape (runs,)."""
        return np.array([row[np.isfinite(row)][-1] if np.isfinite(row).any() else np.nan for row in self.equity])


def _joined(parts: Sequence[Runs]) -> Runs:
    return Runs(
        equity=np.concatenate([each.equity for each in parts]),
        totals={name: np.concatenate([each.totals[name] for each in parts]) for name in TOTALS},
    )


class Compiled:
    """Runs rules compiled, on one episode and its placed news."""

    def __init__(self, episode: Episode, news: News, workers: int = 1) -> None:
        """Lays out the tables; runs go to `workers` threads, with the same bytes for any number."""
        self.workers = workers
        self.episode = episode
        self.news = news
        self.market = make_market(episode, news)
        self.tables: Tables = make_tables(episode)

    def run(self, rules: Sequence[Rule], terms: Sequence[BrokerTerms]) -> Runs:
        """Runs rules of one kind, each on terms of its own; results stand in their order.

        Raises:
            ValueError: A rule or terms that the engine cannot follow.
        """
        for rule, own in zip(rules, terms, strict=True):
            reason = why_not(self.episode, rule, own)
            if reason:
                raise ValueError(reason)
        places: dict[str, list[int]] = {}
        for place, rule in enumerate(rules):
            places.setdefault(rule.sectors, []).append(place)
        if len(places) > 1:  # other symbols to hold, other tables
            parts = [
                self.run([rules[each] for each in mine], [terms[each] for each in mine]) for mine in places.values()
            ]
            order = np.argsort(np.concatenate([*places.values()]))
            made = _joined(parts)
            return Runs(equity=made.equity[order], totals={name: made.totals[name][order] for name in TOTALS})
        kind, at_close = type(rules[0]), rules[0].after_open or terms[0].auctions == "close"
        if any(type(rule) is not kind for rule in rules) or any(each.auctions != terms[0].auctions for each in terms):
            raise ValueError("one call takes rules of one kind and one auction")
        names = self._names(rules[0])
        sources = np.tile(names, (1, 1))
        asked = self._asked(sources, at_close=at_close)
        seen, which = readings(rules, self.market, asked[0])
        plan = _Plan(rules[0], at_close, names, sources, asked, seen)
        return self._keep_accounts(plan, _numbers(rules), which, _terms(terms))

    def fills(self, rule: Rule, terms: BrokerTerms) -> tuple[Fill, ...]:
        """Returns the fills of one run, as the replay has them but for order numbers and times of the auctions."""
        names = self._names(rule)
        sources = np.tile(names, (1, 1))
        at_close = rule.after_open or terms.auctions == "close"
        asked = self._asked(sources, at_close=at_close)
        seen, which = readings([rule], self.market, asked[0])
        plan = _Plan(rule, at_close, names, sources, asked, seen)
        room = 16
        while True:
            rows = np.zeros((room, len(FILL)))
            runs = self._keep_accounts(plan, _numbers([rule]), which, _terms([terms]), rows)
            count = int(runs.totals["fills"][0])
            if count <= room:
                return tuple(self._fill(row) for row in rows[:count])
            room = count

    def versions(self, rule: Rule, terms: BrokerTerms, versions: Versions) -> Runs:
        """Runs one rule on many versions of the news.

        Raises:
            ValueError: A rule or terms that the engine cannot follow.
        """
        reason = why_not(self.episode, rule, terms)
        if reason:
            raise ValueError(reason)
        step = max(1, _READ_AT_ONCE // (8 * len(self.market.symbols) * len(self.episode.window)))
        if len(versions) > step:
            parts = [versions.part(slice(at, at + step)) for at in range(0, len(versions), step)]
            return _joined([self.versions(rule, terms, part) for part in parts])
        return self._keep_accounts(*self._version_plan(rule, terms, versions), _terms([terms]))

    def net_weights(self, rule: Rule, terms: BrokerTerms, versions: Versions, session: int) -> Floats:
        """Returns the net weight that a rule wants in a session of the window, shape (versions,): the sum over symbols.

        Raises:
            ValueError: A rule or terms that the engine cannot follow.
        """
        if reason := why_not(self.episode, rule, terms):
            raise ValueError(reason)
        plan, numbers, which = self._version_plan(rule, terms, versions)
        count = len(versions)
        own, limits, _ = (np.ascontiguousarray(_for_each(table, count)) for table in numbers)
        asked_as = np.arange(count) % len(plan.asked)
        made = decide(type(rule), own, limits, which, asked_as, plan.seen, plan.asked)
        stands = np.maximum.accumulate(made.changes[made.slots], axis=1)[:, session]
        net = made.weights[made.slots, np.maximum(stands, 0)].sum(axis=1)
        return np.asarray(np.where(stands >= 0, net, 0.0))

    # Inside

    def _version_plan(
        self, rule: Rule, terms: BrokerTerms, versions: Versions
    ) -> tuple[_Plan, tuple[Floats, ...], Ints]:
        """Returns the plan of one rule on many versions, its numbers, and which reading each version has."""
        at_close = rule.after_open or terms.auctions == "close"
        names = self._names(rule)
        columns = versions.columns
        sources = np.tile(names, (1, 1)) if columns is None else np.ascontiguousarray(columns[:, names])
        asked = self._asked(sources, at_close=at_close)
        seen = self._version_rows(rule, versions, asked)
        count = len(versions)
        which = np.arange(count) if len(seen) > 1 else np.zeros(count, dtype=np.int64)
        return _Plan(rule, at_close, names, sources, asked, seen), _numbers([rule]), which

    def _names(self, rule: Rule) -> Ints:
        """Returns the columns of the symbols that a rule may hold."""
        market = self.market
        held = [
            column
            for column, (symbol, sector) in enumerate(zip(market.symbols, market.sectors, strict=True))
            if rule.holds(sector, symbol, market.benchmark)
        ]
        return np.array(held, dtype=np.int64)

    def _asked(self, sources: Ints, *, at_close: bool) -> NDArray[np.bool_]:
        """Returns whether the rule decides for each session: after the bar before, for the close after its open."""
        trades = np.asarray(self.tables.present[:, sources].any(axis=2)).T
        return np.ascontiguousarray(trades[:, 1:] if at_close else trades[:, :-1])

    def _version_rows(self, rule: Rule, versions: Versions, asked: NDArray[np.bool_]) -> Floats:
        items, same_news = used_items(self.news), bool((versions.rows == versions.rows[0]).all())
        if versions.columns is None:
            return version_readings(rule, self.market, items, versions.rows, asked[0])
        asked_ever = np.asarray(asked.any(axis=0))
        if not reads_prices(rule, self.market, asked_ever):
            return version_readings(rule, self.market, items, versions.rows[:1] if same_news else versions.rows,
                                    asked_ever)  # fmt: skip
        markets = (self._version_market(*each) for each in zip(versions.rows, versions.columns, strict=True))
        return each_market(rule, markets, asked_ever)

    def _version_market(self, rows: Ints, columns: Ints) -> Market:
        from strategies.signals import SignalBook

        episode = renamed(self.episode, columns.tolist())
        moved = [
            dataclasses.replace(item, session=int(row))
            for item, row in zip(used_items(self.news), rows, strict=True)
            if row >= 0
        ]
        window = self.episode.window
        return dataclasses.replace(make_market(episode, self.news), signals=SignalBook(moved, window[0], window[-1]))

    def _keep_accounts(
        self, plan: _Plan, numbers: tuple[Floats, ...], which: Ints, terms: Floats, fills: Floats | None = None
    ) -> Runs:
        """Decides and keeps the accounts, some runs at a time, those of the same numbers side by side."""
        own, limits, caps = (_for_each(table, len(which)) for table in numbers)
        if plan.rule.code is not None and plan.asked[0].any():
            first = int(plan.asked[0].argmax())
            check_step(plan.rule, self.market, first, plan.seen[which[0], first])
        count, (_, sessions, _, symbols) = len(which), plan.seen.shape
        sources, asked_as = _for_each(plan.sources, count), np.arange(count) % len(plan.asked)
        terms = _for_each(terms, count)
        order = np.lexsort((*limits.T[::-1], *own.T[::-1], which, asked_as))
        equity, totals = np.empty((count, sessions)), np.empty((count, len(TOTALS)))
        notes = np.zeros((0, len(FILL))) if fills is None else fills
        table, keeper = self.tables, _keeper()

        def work(runs: Ints) -> None:
            made = decide(type(plan.rule), own[runs], limits[runs], which[runs], asked_as[runs], plan.seen, plan.asked)
            if plan.rule.code is not None:
                check_weights(plan.rule, self.market, caps[runs], made)
            closes, counts = np.empty((len(runs), sessions)), np.empty((len(runs), len(TOTALS)))
            keeper(
                made.weights, made.changes, made.slots, plan.names, sources[runs], plan.at_close, terms[runs],
                table.days, table.present, table.trading, table.start, table.open, table.close, table.volume,
                table.traded, table.actions, table.rates, table.most, table.settles, table.values,
                closes, counts, notes,
            )  # fmt: skip
            equity[runs], totals[runs] = closes, counts

        step = max(1, min(_AT_ONCE // (sessions * symbols), -(-count // self.workers)))
        parts = [order[first : first + step] for first in range(0, count, step)]
        if self.workers > 1 and len(parts) > 1:
            with ThreadPoolExecutor(self.workers) as pool:  # the compiled loops let go of the interpreter's lock
                list(pool.map(work, parts))
        else:
            for part in parts:
                work(part)
        return Runs(equity=equity, totals={name: totals[:, place] for place, name in enumerate(TOTALS)})

    def _fill(self, row: Floats) -> Fill:
        values = dict(zip(FILL, row.tolist(), strict=True))
        session = self.episode.sessions.sessions[self.episode.window[int(values["row"])]]
        return Fill(
            order=0,
            session=session.isoformat(),
            symbol=self.market.symbols[int(values["column"])],
            size=values["size"],
            auction=AUCTIONS[int(values["auction"])],
            auction_price=values["auction_price"],
            price=values["price"],
            commission=values["commission"],
            slippage=values["slippage"],
            forced=bool(values["forced"]),
            position=values["position"],
        )


def _for_each(table: NDArray[Any], count: int) -> Any:
    """Returns a table of `count` rows, or its only row for each run."""
    return table if len(table) == count else np.broadcast_to(table, (count, *table.shape[1:]))


def _numbers(rules: Sequence[Rule]) -> tuple[Floats, ...]:
    """Returns each rule's numbers, limits and caps; limits that a rule makes itself may be other than its caps."""
    caps = [(float(rule.gross), float(rule.name_cap), float(rule.net_cap)) for rule in rules]
    return np.array([rule.numbers() for rule in rules]), np.array([rule.limits() for rule in rules]), np.array(caps)


def _terms(terms: Sequence[BrokerTerms]) -> Floats:
    """Returns terms as numbers, in the order of `TERMS` and the switches behind them; one object is read once."""
    rows = {
        id(each): [
            *(getattr(each, name) for name in TERMS),
            float(each.fractional),
            float(each.rebalance == "daily"),
            share_value(each.delisting),
        ]
        for each in {id(each): each for each in terms}.values()
    }
    return np.array([rows[id(each)] for each in terms], dtype=float)


@cache
def _keeper() -> Any:
    """Compiles the accounts' loop, the same for all rules."""
    from backtests.kernel.numba_cache import announced, compiled

    with announced():
        return compiled(keep_accounts, KEEP_ACCOUNTS)
