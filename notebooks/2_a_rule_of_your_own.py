# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · A rule and a `bt.Strategy` of your own
#
# A rule is a pure step from what is known to target weights. It sees arrays that end at its moment, so it cannot look
# ahead by an index. Any backtrader strategy runs in the same book, with three more lines on its feeds.

# %%
import backtrader as bt
import numpy as np

from backtests import load_episode, replay
from strategies import Rule
from strategies.sizing import weighted

episode = load_episode("deepseek-2025")

# %% [markdown]
# ## A rule
#
# `observe` turns the view into rows of numbers, one per symbol; `step` turns rows into weights. Annotated fields are
# parameters.


# %%
class BuyTheDip(Rule):
    """Buys chips that fell while the news builds up."""

    name = "buy-the-dip"
    about = "chips that fell while the news builds up"
    traded = ("chips",)
    fall: float = 0.02  # fraction, close to close
    threshold: float = 0.3  # signal

    def observe(self, view):
        """The signal of each chip, and its last return."""
        signal = view.news("sentiment", half_life=1.0, reactions="with-cause")[-1] * view.exposure
        returns = view.closes[-1] / view.closes[-2] - 1
        return signal * view.masks("chips"), np.nan_to_num(returns)

    def step(self, state, rows):
        """Equal weights for what fell although the news is good."""
        signal, returns = rows
        wanted = np.where((signal > self.threshold) & (returns < -self.fall), 1.0, 0.0)
        return weighted(wanted, self.limits())


mine = replay(episode, BuyTheDip)
mine.metrics[["return_pct", "max_drawdown_pct", "trades"]].round(2)

# %%
mine.trades[["symbol", "opened", "closed", "entry_price", "exit_price", "pnl"]].round(2)

# %% [markdown]
# ## A backtrader strategy
#
# `sentiment`, `tone` and `headlines` hold on bar k − 1 what is known before the open of session k, where an order made
# in `next()` fills.


# %%
class Follow(bt.Strategy):
    """Long where the news builds up, short where it undercuts."""

    params = (("threshold", 0.5), ("part", 0.1))
    symbols = ("NVDA", "AVGO", "VST", "CEG")

    def next(self):
        """One decision per session."""
        for data in self.datas:
            if len(data):
                side = int(np.sign(data.sentiment[0])) if abs(data.sentiment[0]) >= self.params.threshold else 0
                self.order_target_percent(data, side * self.params.part)


theirs = replay(episode, Follow, threshold=0.4)
theirs.metrics[["return_pct", "max_drawdown_pct", "trades"]].round(2)

# %% [markdown]
# ## What this does not show
#
# - That either makes money elsewhere: they were written in a minute and run on one episode.
# - That they know nothing of the future: save the class in a file and run `backtest audit deepseek-2025 -s my_rule.py`.
# - Each try is a trial. From the command line the ledger counts them; in a notebook you must.
