"""Makes a folder to begin with, which runs from the start: data of one's own takes the place of the example's.

episode.toml   what is traded, and when                       feeds.opml   the feeds to archive
prices.csv     daily bars (actions.csv, sessions.csv beside)  my_rule.py   a rule to change
news.*.jsonl   headlines with their times                     START.txt    what to type, in order
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

from backtests.authoring.create import make_episode
from backtests.authoring.episode_files import EpisodeRequest, write_text
from backtests.authoring.validate import check_folder
from backtests.episodes.episode import EPISODES
from backtests.episodes.prices import read_prices
from feeds.errors import InputError
from feeds.opml import read_opml

_EXAMPLE = EPISODES / "deepseek-2025"
_SECTORS = {"chips": ["NVDA", "AMD"], "power": ["VST", "CEG"], "funds": ["SPY"]}
_START, _END = date(2025, 1, 21), date(2025, 1, 31)
_RULE = '''"""A rule of your own: change it, then `backtest run {folder} --strategy {folder}/my_rule.py`."""

import numpy as np

from strategies import Rule
from strategies.sizing import weighted


class MyRule(Rule):
    """Buys chips and power that fell while the news builds up demand."""

    traded = ("chips", "power")  # the sectors of episode.toml that it may hold
    fall: float = 0.02  # fraction, close to close
    threshold: float = 0.3  # of the signal

    def observe(self, view):
        """Rows of shape (symbols,): the signal, and each symbol's last return."""
        signal = view.news("sentiment", half_life=1.0, reactions="with-cause")[-1] * view.exposure
        returns = view.closes[-1] / view.closes[-2] - 1
        return signal * view.masks(*self.traded), np.nan_to_num(returns)

    def step(self, state, rows):
        """Target weights of shape (symbols,), as fractions of equity; shorts are negative."""
        signal, returns = rows
        wanted = np.where((signal > self.threshold) & (returns < -self.fall), 1.0, 0.0)
        return weighted(wanted, self.limits())
'''
_COMMANDS = """What to type, from the folder that holds {name}/:

  backtest run {name}                                   the strategies on what is here
  backtest run {name} --strategy {name}/my_rule.py      your rule beside the baselines
  backtest audit {name} --strategy {name}/my_rule.py:MyRule   does it know the future?
  backtest check {name}                                 what is wrong or missing

Then put your own in the example's place:

  prices   daily bars as symbol,date,open,high,low,close,volume (many vendors' layouts are read too):
           backtest run {name} --prices my_bars.csv
           or, with dates and symbols of your own, a new folder:
           backtest episodes new mine --start 2025-01-21 --end 2025-01-31 --symbols NVDA,AMD \\
               --prices my_bars.csv --news my_news/
  news     RSS, Atom, JSONL or CSV (title,published,seen):
           backtest run {name} --news my_news/
  feeds    backtest feeds import {name}/feeds.opml, then backtest feeds pull, again and again (by cron)
           backtest run {name} --news archive
"""


def make_start(folder: Path) -> None:
    """Makes the folder, which appears when it is whole: a week of January 2025, five symbols, the shipped headlines.

    Raises:
        InputError: It is there already, or cannot be made.
    """
    if folder.exists():
        raise InputError(f"{folder}: is there already; give another name, or remove it")
    if not folder.name or folder.name.startswith("-"):
        raise InputError(f"{folder}: give a name for the folder, like my-test")
    request = EpisodeRequest(
        name=folder.name, title=f"{folder.name}: an example to change", start=_START, end=_END, sectors=_SECTORS
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
            made = Path(place) / folder.name
            make_episode(
                made, request, _EXAMPLE / "prices.csv",
                actions=_EXAMPLE / "actions.csv", news=sorted(_EXAMPLE.glob("news*.xml")), origin=f"{_EXAMPLE.name}",
            )  # fmt: skip
            write_text(made / "my_rule.py", _RULE.format(folder=folder.name))
            write_text(made / "START.txt", _COMMANDS.format(name=folder.name))
            (made / "feeds.opml").write_bytes(files("feeds").joinpath("catalogue.opml").read_bytes())
            made.rename(folder)
    except OSError as wrong:
        raise InputError(f"{folder}: cannot be made ({wrong.strerror}); give another place") from None


def check_start(folder: Path) -> list[str]:
    """Returns what is wrong in a folder: its episode, and the feeds and rules beside it; nothing in it is run."""
    return [*check_folder(folder), *_feeds(folder), *_rules(folder)]


def still_example(folder: Path) -> list[str]:
    """Says what is still the example's, for a user who wants data of their own."""
    try:
        held = read_prices(folder / "prices.csv").bars
        shipped = read_prices(_EXAMPLE / "prices.csv").bars
    except InputError:
        return []
    same = all(
        symbol in shipped and set(bars.close.tolist()) <= set(shipped[symbol].close.tolist())
        for symbol, bars in held.items()
    )
    return ["prices.csv is the example's; START.txt says how to put yours in its place"] if same else []


def _feeds(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.opml")):
        try:
            read_opml(path.read_bytes(), name=str(path))
        except InputError as wrong:
            yield " ".join(str(wrong).split())


def _rules(folder: Path) -> Iterator[str]:
    """Reads the Python files without running them."""
    for path in sorted(folder.glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        except (SyntaxError, ValueError) as wrong:
            line = getattr(wrong, "lineno", None)
            yield f"{path}{f':{line}' if line else ''}: is no Python ({getattr(wrong, 'msg', wrong)}); correct it"
            continue
        if not any(isinstance(node, ast.ClassDef) for node in tree.body):
            yield f"{path}: defines no class; a strategy is a class of Rule or bt.Strategy"
