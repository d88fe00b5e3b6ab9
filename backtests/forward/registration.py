"""Fixes a paper portfolio before its first decision: rule, parameters, scorer, terms, universe, and the program's code.

NAME/registration.json   what was fixed; its hash begins the chain
NAME/record.jsonl        the decisions, see `chain`
NAME/bars.csv            the bars that each decision read, as changes from one decision to the next
NAME/code/…              a rule of the user's own
NAME/graded/             the run that `forward grade` made of it
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from backtests.broker.terms import BrokerTerms
from backtests.episodes.episode import Episode, load_episode
from backtests.forward.chain import Chain, read_chain
from backtests.forward.coming import coming_session
from backtests.records.folders import new_folder
from backtests.records.record import json_text
from backtests.records.run_card import code_sha256
from backtests.records.shape import Shape, aware, day, flag, number, read_json, text
from backtests.user_strategies.decision_table import DecisionTable
from backtests.user_strategies.loading import saved_rules
from feeds.errors import InputError
from feeds.scorers.registry import scorer_named
from feeds.scoring import Scorer
from strategies.rule import Rule

FILE, RECORD, BARS, GRADED = "registration.json", "record.jsonl", "bars.csv", "graded"
_SHAPE: Shape = {
    "name": text,
    "registered_at": aware,
    "start": day,
    "universe": text,
    "universe_sha256": text,
    "prices": (None, text),
    "archive": text,
    "strategy": {"name": text, ...: (flag, number, text)},
    "decisions": (None, text),
    "broker": {"cash": number, ...: (flag, number, text)},
    "scorer": text,
    "lead_minutes": number,
    "latency_minutes": number,
    "code_sha256": text,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Holds a registered paper portfolio."""

    folder: Path
    name: str
    registered_at: datetime
    start: date  # first session that is decided for
    universe: str  # name or folder of the episode whose symbols, tables and prices it trades on
    universe_sha256: str  # of its episode.toml
    prices: Path | None  # instead of the universe's
    archive: Path
    strategy: dict[str, Any]  # name and parameters, and where its code lies
    decisions: Path | None  # a table of decisions that grows, instead of a rule
    terms: BrokerTerms
    scorer: Scorer
    lead: timedelta
    latency: timedelta
    code_sha256: str
    digest: str  # SHA-256 of registration.json

    @property
    def record(self) -> Path:
        """Returns the file of the record."""
        return self.folder / RECORD

    def chain(self) -> Chain:
        """Reads the record."""
        return read_chain(self.record, self.digest)

    def rule(self, *, trust: bool = True) -> Rule:
        """Makes the rule.

        Args:
            trust: Whether code that lies in the folder may run; False for a folder of somebody else.

        Raises:
            InputError: Its code is not what was registered.
        """
        (made,) = saved_rules(self.folder, [self.strategy], trust=trust)
        return made

    def load(self) -> Episode:
        """Loads the universe with its prices as they are now.

        Raises:
            InputError: It cannot be read, or is another than was registered.
        """
        episode = load_episode(self.universe, prices=self.prices)
        if episode.sources["episode.toml"] != self.universe_sha256:
            raise InputError(f"{episode.folder}/episode.toml: is not the one that was registered; restore it")
        return episode


def register(
    folder: Path,
    *,
    universe: str,
    rule: Rule | None,
    decisions: Path | None,
    terms: BrokerTerms,
    scorer: Scorer,
    archive: Path,
    prices: Path | None,
    at: datetime,
) -> Portfolio:
    """Registers a portfolio: from the coming session on, and never changed again.

    Args:
        folder: A new folder; its last part is the name.
        universe: Name or folder of an episode whose prices are kept up to date.
        rule: What decides, or None where a table of decisions does.
        decisions: The table, which grows.
        terms: Cash and costs.
        scorer: Its newest vintage from before the first session is taken.
        archive: Where the news is.
        prices: Bars instead of the universe's.
        at: Now.

    Raises:
        InputError: The folder is taken, or the rule's decisions cannot be sealed before the open.
    """
    if rule is not None:
        _check_sealable(rule)
    if terms.auctions != "open":
        raise InputError(f"auctions={terms.auctions}: a forward record is of decisions before the open; leave it out")
    episode = load_episode(universe, prices=prices)
    if episode.latency < timedelta(minutes=1):
        raise InputError(f"{universe}: a latency of 0 leaves no time to decide; set latency_minutes to 1 or more")
    coming = coming_session(episode, at)
    scorer = scorer.before(coming.session)
    scorer_named(scorer.label, trusted=False)  # a file of the user's own would not be fixed
    strategy, code = _strategy(rule, decisions)
    row = {
        "name": folder.name,
        "registered_at": at.isoformat(),
        "start": coming.session.isoformat(),
        "universe": str(episode.folder),
        "universe_sha256": episode.sources["episode.toml"],
        "prices": str(prices.absolute()) if prices is not None else None,
        "archive": str(archive.absolute()),
        "strategy": strategy,
        "decisions": str(decisions.absolute()) if decisions is not None else None,
        "broker": dataclasses.asdict(terms),
        "scorer": scorer.label,
        "lead_minutes": episode.lead.total_seconds() / 60,
        "latency_minutes": episode.latency.total_seconds() / 60,
        "code_sha256": code_sha256(),
    }
    with new_folder(folder, _refuse) as half:
        for place, source in code.items():
            (half / place).parent.mkdir(parents=True)
            (half / place).write_bytes(source.encode())
        (half / FILE).write_text(json_text(row), encoding="utf-8", newline="")
    return open_portfolio(folder)


def _refuse(folder: Path) -> None:
    raise InputError(f"{folder}: is registered already; a change is a new registration, under another name")


def _check_sealable(rule: Rule) -> None:
    if isinstance(rule, DecisionTable):
        raise InputError(f"{rule.table.file}: a table of decisions is registered with --decisions")
    if not rule.steps:
        raise InputError(
            f"{rule.name}: a bt.Strategy decides by its account, which no recorded line brings back; register a Rule"
        )
    if rule.after_open:
        raise InputError(f"{rule.name}: decides after the open, so no decision of it can be sealed before")


def _strategy(rule: Rule | None, decisions: Path | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the row of a rule as a run's configuration has it, and its code by place."""
    if rule is None:
        return {"name": decisions.stem if decisions else ""}, {}
    row = {"name": rule.name, **rule.parameters}
    if rule.code is None:
        return row, {}
    code = rule.code
    return {**row, "code": code.place, "class": code.name, "sha256": code.sha256}, {code.place: code.text}


def is_portfolio(folder: Path) -> bool:
    """Says whether a folder is that of a registered portfolio."""
    return (folder / FILE).is_file()


def open_portfolio(folder: Path) -> Portfolio:
    """Reads a registration back.

    Raises:
        InputError: It is none.
    """
    if not is_portfolio(folder):
        raise InputError(f"{folder}: holds no {FILE}; register a portfolio with `backtest forward register`")
    row = read_json(folder / FILE, _SHAPE)
    terms = {name: str(value) for name, value in row["broker"].items()}
    return Portfolio(
        folder=folder,
        name=row["name"],
        registered_at=datetime.fromisoformat(row["registered_at"]),
        start=date.fromisoformat(row["start"]),
        universe=row["universe"],
        universe_sha256=row["universe_sha256"],
        prices=Path(row["prices"]) if row["prices"] else None,
        archive=Path(row["archive"]),
        strategy=row["strategy"],
        decisions=Path(row["decisions"]) if row["decisions"] else None,
        terms=BrokerTerms().with_settings(terms),
        scorer=scorer_named(row["scorer"], trusted=False),
        lead=timedelta(minutes=row["lead_minutes"]),
        latency=timedelta(minutes=row["latency_minutes"]),
        code_sha256=row["code_sha256"],
        digest=hashlib.sha256((folder / FILE).read_bytes()).hexdigest(),
    )
