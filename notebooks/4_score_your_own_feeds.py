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
# # 4 · Score your own feeds
#
# Any RSS or Atom document will do; this one is made here, half English, half German, so that nothing is fetched.

# %%
import tempfile
from pathlib import Path

import pandas as pd

from backtests import load_episode, replay
from feeds.rss import read
from feeds.scoring import score

FEED = """<rss version="2.0"><channel><title>My feed</title>
<item><title>Start-up trains a model with a tenth of the usual chips</title><guid>1</guid>
<pubDate>Wed, 22 Jan 2025 08:00:00 GMT</pubDate></item>
<item><title>Cloud group raises AI capex and orders more Nvidia chips</title><guid>2</guid>
<pubDate>Thu, 23 Jan 2025 12:00:00 GMT</pubDate></item>
<item><title>Stromversorger schließt Liefervertrag für KI-Rechenzentrum</title><guid>3</guid>
<pubDate>Thu, 23 Jan 2025 13:00:00 GMT</pubDate></item>
<item><title>Nvidia-Aktie bricht nach billigem KI-Modell ein</title><guid>4</guid>
<pubDate>Mon, 27 Jan 2025 12:00:00 GMT</pubDate></item>
</channel></rss>"""
path = Path(tempfile.mkdtemp()) / "mine.xml"
path.write_text(FEED, encoding="utf-8")
parsed = read(path)
len(parsed.headlines), len(parsed.rejects)

# %% [markdown]
# ## Scores
#
# `sentiment` is AI-disruption in [−1, 1]: −1 undercuts demand for AI, +1 builds it up. `tone` is good or bad news,
# whoever it is about. `features` says which words did it.

# %%
rows = []
for headline in parsed.headlines:
    found = score(headline.title, headline.summary, language=headline.language)
    rows.append(
        {
            "title": headline.title,
            "language": found.language,
            "relevance": found.relevance,
            "sentiment": found.sentiment,
            "tone": found.tone,
            "reaction": found.reaction,
            "features": "; ".join(found.features),
        }
    )
pd.DataFrame(rows)

# %% [markdown]
# ## A replay on them
#
# Each headline acts from the first open that leaves time for an order.

# %%
result = replay(load_episode("deepseek-2025", news=path), "shock")
result.scores[["known_at", "session", "sentiment", "used", "title"]]

# %%
result.metrics[["return_pct", "max_drawdown_pct", "trades"]].round(2)

# %% [markdown]
# ## What this does not show
#
# - Four headlines are no news flow.
# - Without an archive the time of a headline is what the feed claims, plus five minutes.
# - The scorer is right as often as docs/scoring.md says.
