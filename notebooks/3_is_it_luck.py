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
# # 3 · Is it luck?
#
# Three questions to one result: were the moves more than chance, would meaningless news have done as well, and how many
# were tried before this one?

# %%
# %matplotlib inline
import matplotlib.pyplot as plt
import pandas as pd

from backtests import event_study, load_episode, placebo, replay
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import read_news
from backtests.evidence.trials.from_run import trials_of
from strategies.registry import make_rule

episode = load_episode("deepseek-2025")
news = read_news(episode)

# %% [markdown]
# ## Were the moves more than chance?
#
# All chips fell on one day. The effective N says how many independent events that is worth, and the robust test
# (Kolari and Pynnönen) counts it.

# %%
study = event_study(episode, news=news).document()
groups = pd.DataFrame(study["groups"]).set_index("group")
tests = groups["event"].map(lambda event: next(t for t in event["tests"] if t["test"] == "kolari-pynnonen"))
groups[["n", "n_effective", "mean_correlation"]].assign(
    event_day_pct=groups["event"].map(lambda event: event["aar_pct"]), p=tests.map(lambda test: test["p"])
).round(3)

# %%
days = pd.DataFrame(next(group for group in study["groups"] if group["group"] == "sample")["days"])
figure, axes = plt.subplots(figsize=(8, 3.5))
axes.plot(days["offset"], days["caar_pct"])
axes.fill_between(days["offset"], days["low_pct"], days["high_pct"], alpha=0.3)
axes.axvline(0, linestyle="--", linewidth=1)
axes.set(title="Cumulative average abnormal return, 95 % band", xlabel="sessions from the event", ylabel="percent")
plt.show()

# %% [markdown]
# ## Would news that means nothing have done as well?
#
# The same rule on permuted days (and, in windows of 80 sessions or more, on shifted news). Twenty of each here, for
# speed; take more for a figure to print.

# %%
drawn = placebo(episode, news, make_rule("shock"), BrokerTerms(), n=20, seed=1).document()
pd.DataFrame(
    [
        {"placebo": kind["kind"], **{name: kind["profit"][name] for name in ("actual", "mean", "p")}}
        for kind in drawn["kinds"]
        if kind["profit"]
    ]
).round(3)

# %% [markdown]
# ## How many were tried?
#
# The best of many tries looks good by itself. Each configuration below is one trial.

# %%
result = replay(episode, [make_rule("shock", {"threshold": str(t / 10)}) for t in range(2, 10)])
best = result.metrics["return_pct"].idxmax()
print(f"{len(trials_of(result))} tried; the best of them, {best}, made {result.metrics['return_pct'].max():+.2f} %")
result.metrics[["return_pct", "sharpe", "trades"]].round(2)

# %% [markdown]
# ## What this does not show
#
# - A p-value is about this episode: a rule that beats its placebos here may have had one lucky day.
# - Twenty placebos cannot give a p below 1/21.
# - Only tries that were counted count; what was tried by eye is in no ledger.
