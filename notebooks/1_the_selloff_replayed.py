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
# # 1 · The selloff replayed
#
# On Monday 27 January 2025 Nvidia closed 17 % lower, after DeepSeek's R1. This notebook replays that month: what was
# reported, what the prices say, what the news said before the open, and what each strategy made of it. It reads the
# episode that ships; nothing is fetched.

# %%
# %matplotlib inline
import matplotlib.pyplot as plt

from backtests import load_episode, replay

episode = load_episode("deepseek-2025")
result = replay(episode)
result

# %% [markdown]
# ## Gone at the open, left to trade
#
# The two parts compound, they do not add. Whoever read the news at the weekend could trade at Monday's open at the
# earliest, so the first part was nobody's.

# %%
key = result.document["key_session"]
bars = result.bars.set_index(["symbol", "session"])
before = bars.groupby("symbol")["close"].shift(1)
moves = 100 * bars.assign(
    at_the_open=bars["open"] / before - 1, left=bars["close"] / bars["open"] - 1, whole=bars["close"] / before - 1
)
columns = ["at_the_open", "left", "whole"]  # percent
moves.xs(key, level="session").loc[["NVDA", "AVGO", "VST", "CEG", "META"], columns].round(2)

# %% [markdown]
# ## What the news said before that open

# %%
news = result.scores[(result.scores["session"] == key) & result.scores["used"]]
strongest = news.reindex(news["sentiment"].abs().sort_values(ascending=False, kind="stable").index)
strongest[["known_at", "source", "language", "sentiment", "tone", "reaction", "title"]].head(10)

# %% [markdown]
# ## What each strategy made
#
# Our own beside the baselines, after commission, slippage, borrow and dividends.

# %%
columns = ["baseline", "return_pct", "max_drawdown_pct", "sharpe", "trades", "commission", "slippage", "borrow"]
result.metrics[columns].round(2)

# %%
figure, axes = plt.subplots(figsize=(9, 4))
for name, rows in result.equity.groupby("strategy", sort=False):
    own = not result.metrics.loc[name, "baseline"]
    axes.plot(rows["session"], rows["equity"], label=name, linewidth=2 if own else 1, linestyle="-" if own else ":")
axes.set(title="Equity", ylabel="US dollars")
axes.tick_params(axis="x", rotation=45)
axes.legend(fontsize="x-small", ncols=3)
plt.show()

# %% [markdown]
# ## What this does not show
#
# - One crash is nearly one event: nothing here says what a strategy will do next time.
# - The news before the crash was of building (Stargate, Meta's capex), so a good scorer was long into it.
# - The headlines are a sample by a stated rule; auctions have no depth here; the exposures are our judgement.
