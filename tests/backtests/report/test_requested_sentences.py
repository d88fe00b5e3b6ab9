"""Every sentence that study, delay, placebo and resample print is a definition, or true of what they were asked about.

As test_sentences.py, whose Run and helpers it takes: what is said is computed anew from a plain run of the same
strategies, from the episode's own table of sessions, or from the document that the command prints as JSON.
"""

from __future__ import annotations

import csv
import json
import re

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.episodes.episode import EPISODES
from tests.backtests.report.test_sentences import Run, close
from tests.helpers.printed import of_terminal

INCLUDE = ("-s", "shock", "--set", "reactions=include")
ASKED = (
    ("study", "deepseek-2025"), ("study", "chatgpt-may-2023", "--event", "2023-05-02"),
    ("delay", "deepseek-2025", *INCLUDE), ("delay", "quiet-2023", "-s", "rebound", "--auctions", "open,close"),
    ("placebo", "deepseek-2025", *INCLUDE, "-n", "50"), ("placebo", "quiet-2023", "-s", "drift", "-n", "30"),
    ("resample", "deepseek-2025", *INCLUDE, "-n", "40", "--keep", "0.3,0.8"),
    ("resample", "quiet-2023", *INCLUDE, "-s", "buy-hold", "-n", "30", "--keep", "none"),
)  # fmt: skip


class Answer:
    """What a command printed, its document, the episode's sessions, and a plain run of the same strategies."""

    def __init__(self, words, folder):
        done = CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False)
        self.words, self.doc = words, json.loads(done.stdout)
        self.sentences = [each.removeprefix("· ") for each in of_terminal(done.stderr)]
        with (EPISODES / words[1] / "sessions.csv").open() as file:
            self.sessions = [row["session"] for row in csv.DictReader(file)]
        plain = [word for word in words[1:] if word not in {"-n", "--keep", "--event"}]
        plain = [word for word in plain if not re.fullmatch(r"\d+|none|[\d.,]+|\d{4}-\d\d-\d\d", word)]
        more = ["--no-baselines", "--no-resample", "--trials", "off", "-o", str(folder)]
        self.run = Run(folder, CliRunner().invoke(cli, ["run", *plain, *more], catch_exceptions=False).stdout)

    def between(self, first, last):
        """How many sessions there are from one to another, both counted."""
        return self.sessions.index(last) - self.sessions.index(first) + 1


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What is printed on request, of unlike episodes and strategies."""
    home = tmp_path_factory.mktemp("asked")
    return {" ".join(words): Answer(words, home / str(number)) for number, words in enumerate(ASKED)}


def estimated(answer, found):
    """Model and benchmark; the days are sessions of the exchange before the event."""
    event = answer.doc["events"][0]["session"]
    return answer.run.doc["benchmark"]["symbol"] == found["held"] and found["from"] < found["to"] < event


def spans(answer, found):
    """Sessions to estimate from, up to a gap before the window; claims and events may be left out of them."""
    made, event = answer.doc["estimation"], answer.doc["events"][0]["session"]
    before = answer.between(made["last"], event) - 1 + int(found["from"])
    return int(found["gap"]) == before - 1 and answer.between(made["first"], made["last"]) >= int(found["n"])


def event(answer, found):
    """The session before, and the first headline about AI that could first be traded in it."""
    at = answer.sessions.index(found["day"])
    known = [row["known_at"] for row in answer.run.tables["scores"]
             if row["used"] == "True" and row["session"] == found["day"]]  # fmt: skip
    return answer.sessions[at - 1] == found["base"] and min(known)[:16] == found["known"]


def quickest(answer, found):
    """Which strategies changed, and which of them made most on the first rung."""
    changed = [each["profit_usd"] for each in answer.doc["strategies"] if len(set(each["profit_usd"])) > 1]
    return (int(found["most"]), int(found["n"])) == (sum(row[0] == max(row) for row in changed), len(changed))


def same_on_all(answer, found):
    """Their profits are the same number on every rung."""
    names = found["names"].split(", ")
    return names == [each["strategy"] for each in answer.doc["strategies"] if len(set(each["profit_usd"])) == 1]


def profit(answer, found):
    """What the plain run made."""
    row = answer.run.doc["results"][0]
    return close(found["usd"], row["final_equity"] - answer.run.config["broker"]["cash"], 0)


def shows(answer, found):
    """The smallest p of so many placebos, the trades of the plain run, and the edge of one in per cent of an entry."""
    trades = answer.run.tables["trades"]
    entered = sum(abs(float(row["shares"]) * float(row["entry_price"])) for row in trades) / len(trades)
    percent = float(found["usd"].replace(",", "").replace("+", "")) / entered * 100
    n = int(answer.words[answer.words.index("-n") + 1])
    return close(found["p"], 1 / (n + 1), 3) and int(found["n"]) == len(trades) and close(found["pct"], percent, 1)


def shifts(answer, found):
    """One fewer than the window's sessions, of which 5 % is no whole number."""
    return int(found["n"]) == answer.run.doc["window"]["sessions"] - 1 < 80


def drawn(answer, found):
    """As many as were asked for, of the headlines that are about AI and in time."""
    asked = int(answer.words[answer.words.index("-n") + 1])
    return (int(found["n"]), int(found["heads"])) == (asked, answer.run.doc["headlines"]["used"])


def cells(answer, found):
    """No more stories than headlines, and no more cells than pairs of source and session."""
    used = [row for row in answer.run.tables["scores"] if row["used"] == "True"]
    pairs = {(row["source"], row["session"]) for row in used}
    stories = sum(float(row["story_weight"]) == 1 for row in used)
    return int(found["cells"]) <= len(pairs) and stories <= int(found["stories"]) <= len(used)


DEFINITIONS = {
    "On the event's session alone (AAR in %; two-sided p of each test, * not robust to common days)",
    "Over the whole window (AAR in %; two-sided p of each test, * not robust to common days)",
    "Symbols (on the event's session; q: false discovery rate; cumulated: whole window, 95 % band)",
    ("One event day is nearly one event however many symbols fall on it: effective N says how many independent events the "
    "sample is worth, and only the tests marked robust allow for it."),
    ("Of a day that was chosen for what happened on it a small p says little; the placebo asks whether the news picks days "
    "better than chance does."),
    "What the benchmark itself holds of a symbol understates what is abnormal about it.",
    "Daily closes: the move before and after the news within one session is not told apart; the gap split does that.",
    "A small p says that this order of news and moves is rare among such placebos, not that it will come again.",
    "All kinds use the prices of the one window: what moved most in it moves most in every placebo too.",
    "Redrawn from the headlines that are there: what no outlet of this archive reports is in no sample.",
    "Prices stay as they were, so this says how the result hangs on the news that was kept, not on the window.",
}  # fmt: skip
DERIVED = {
    r"\S+: event study, market model against (?P<held>\S+), estimated (?P<from>\S+) to (?P<to>\S+)": estimated,
    r"\((?P<n>\d+) sessions, (?P<gap>\d+) left out before the window\); window (?P<from>\S+) to \S+ sessions": spans,
    r"event: (?P<day>\S+), base price: close of (?P<base>\S+); first headline known (?P<known>\S+)Z": event,
    r"\S+: profit in US dollars had the news come later \(s\.: sessions\), traded at: (?P<where>\S+)":
        lambda answer, f: f["where"] == answer.run.config["broker"]["auctions"],
    r"next close: acts at the open after that close": lambda answer, _: answer.doc["auctions"] in {"open", "open,close"},
    r"next open: acts at the (?P<where>open|close) .*":
        lambda answer, f: (f["where"] == "close") == (answer.run.config["broker"]["auctions"] == "open,close"),
    r"(?P<most>\d+) of the (?P<n>\d+) strategies that changed made most without delay; one window .*": quickest,
    r"The same on every rung: (?P<names>.*)\.": same_on_all,
    r"\S+: .* made (?P<usd>\S+) US dollars; abnormal return with its news \S+ %": profit,
    r"Placebos \(seed 1, engine kernel\); p = \(1 \+ at least as good\) / \(1 \+ n\)":
        lambda answer, _: (answer.doc["seed"], answer.doc["engine"]) == (1, "kernel"),
    r"permuted-days: news days in another order, in blocks of 3 sessions; smallest p that was possible (?P<p>\S+); "
    r"(?P<n>\d+) trades show an edge of (?P<usd>\S+) US dollars each \((?P<pct>\S+) % of the entry\) with .*": shows,
    r"shifted: all news moved by a number of sessions; not drawn: (?P<n>\d+) shifts cannot give a p of 5 %; .*": shifts,
    r"\S+: (?P<n>\d+) other samples of its (?P<heads>\d+) headlines": drawn,
    r"\((?P<cells>\d+) cells of source and day, (?P<stories>\d+) stories, seed 1\)": cells,
    r"Net: net weight wanted on (?P<day>\S+); short, long: share of the samples\.":
        lambda answer, f: f["day"] == answer.run.doc["key_session"],
    r"Return in per cent when only a share of the news is kept: middle 90 % \(other sign\)":
        lambda answer, _: answer.words[-1] != "none",
    r"Read no news, so every sample is the same to them: (?P<names>.*)\.":
        lambda answer, f: set(f["names"].split(", ")) == {"buy-hold"} & set(answer.run.names),
    r"scorer (?P<name>.+): trained on data until (?P<until>\S+), before the first session: not contaminated":
        lambda answer, f: f["name"] == answer.run.config["scorer"] and f["until"] < answer.run.doc["window"]["start"],
}  # fmt: skip


def source_of(sentence, answer):
    """Returns where a sentence comes from; None: it has no source that holds."""
    if sentence in DEFINITIONS:
        return "definition"
    found = ((pattern, re.fullmatch(pattern, sentence), holds) for pattern, holds in DERIVED.items())
    return next((pattern for pattern, match, holds in found if match and holds(answer, match)), None)


@pytest.mark.parametrize("words", ASKED, ids=lambda words: " ".join(words[:4]))
def test_every_sentence_printed_on_request_is_a_definition_or_true_of_it(answers, words):
    """Traced to a plain run, the episode's files or the document."""
    answer = answers[" ".join(words)]
    assert [each for each in dict.fromkeys(answer.sentences) if source_of(each, answer) is None] == []


def test_no_source_is_left_without_a_sentence_and_none_holds_of_another_answer(answers):
    """Each row and definition is printed by one of them; figures of one answer are not those of the others."""
    printed = {sentence for answer in answers.values() for sentence in answer.sentences}
    used = {source_of(sentence, answer) for answer in answers.values() for sentence in answer.sentences}
    assert [pattern for pattern in DERIVED if pattern not in used] == []
    assert [sentence for sentence in DEFINITIONS if sentence not in printed] == []
    one, other = (answers[" ".join(words)] for words in ASKED[6:8])
    assert source_of(one.sentences[0], other) is None
