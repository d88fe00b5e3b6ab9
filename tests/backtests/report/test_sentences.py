"""Every sentence that a run prints is a definition, or says what holds for that run: five unlike runs, sentence by sentence.

To add a sentence to a report: if it says what a figure means, whatever the run, list it in `DEFINITIONS`; else give it a
row in `DERIVED`, with a check that computes from the run's own files whether it is true there.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.episodes.episode import EPISODES
from backtests.evidence.registry import report_end
from backtests.report.text.first_screen import first_screen
from backtests.runs.folder import read_run
from tests.helpers.printed import of_page, of_terminal

MINE = '''
import numpy as np
from strategies import Rule


class Fifth(Rule):
    """Holds a fifth in ACME, whatever happens."""

    traded = ("own",)

    def observe(self, view):
        return (view.masks("own"),)

    def step(self, state, rows):
        return np.where(rows[0] > 0, 0.2, 0.0)
'''
ACME = """title = "Five sessions of ACME"
start = 2025-01-13
end = 2025-01-17
key_session = 2025-01-15
benchmark = "SPY"
adjusted = "none"
provenance = "made up"
limits = [{ of = "prices", says = "The prices are made up." }]

[sectors]
own = ["ACME"]
funds = ["SPY"]

[delays]
assumed_delay_minutes = 5
latency_minutes = 5
lead_minutes = 10
"""
NEWS = """<rss version="2.0"><channel><title>The Gazette</title><item><title>Nvidia sells more AI chips to ACME</title>
<link>https://example.org/1</link><pubDate>Tue, 14 Jan 2025 12:00:00 GMT</pubDate></item></channel></rss>"""
RUNS = {
    "all": ("deepseek-2025",),
    "control": ("quiet-2023", "-s", "shock"),
    "two sessions": ("deepseek-2025", "-s", "shock", "--start", "2025-01-27", "--end", "2025-01-28"),
    "no trade": ("chatgpt-may-2023", "-s", "shock", "--set", "threshold=99", "--no-baselines", "--auctions", "close"),
    "own": ("acme", "-s", "mine.py:Fifth", "--set", "slippage_bps=0"),
}


def acme(folder):
    """Writes a small episode of a user's own: one company, one source, one headline, made-up prices."""
    folder.mkdir()
    (folder / "episode.toml").write_text(ACME)
    (folder / "news.xml").write_text(NEWS)
    (folder / "actions.csv").write_text("symbol,ex_date,kind,value\nSPY,2025-01-15,dividend,1.0\n")
    days = [f"2025-01-{day}" for day in ("08", "10", "13", "14", "15", "16", "17")]
    rows = (EPISODES / "deepseek-2025" / "sessions.csv").read_text().splitlines()
    (folder / "sessions.csv").write_text("\n".join([rows[0], *(row for row in rows if row[:10] in days)]) + "\n")
    prices = [f"{symbol},{day},{base + n},{base + n + 2},{base + n - 2},{base + n + 1},1000000"
              for symbol, base in (("ACME", 50), ("SPY", 500)) for n, day in enumerate(days)]  # fmt: skip
    (folder / "prices.csv").write_text("\n".join(["symbol,date,open,high,low,close,volume", *prices]) + "\n")


class Run:
    """A run's folder, read without the program: its JSON and its tables."""

    def __init__(self, folder, printed):
        self.doc = json.loads((folder / "metrics.json").read_text())
        self.config = json.loads((folder / "run_card.json").read_text())["config"]
        self.evidence = {path.stem: json.loads(path.read_text()) for path in (folder / "evidence").glob("*.json")}
        self.tables = {path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in folder.glob("*.csv")}
        self.sentences = [*of_terminal(printed), *of_page((folder / "report.html").read_text())]
        self.names = [row["label"] for row in self.doc["results"]]

    def returns(self, *, baseline):
        """Returns in percent of one kind of strategy."""
        return [row["return_pct"] for row in self.doc["results"] if row["baseline"] is baseline]

    def row(self, name):
        """A strategy's figures; None where there is no such strategy."""
        return next((row for row in self.doc["results"] if row["label"] == name), None)

    def entries(self, name):
        """How many sessions a strategy entered in."""
        return len({row["opened"] for row in self.tables["trades"] if row["strategy"] == name})

    def own_entries(self):
        """The same of each strategy that is no baseline."""
        return [self.entries(row["label"]) for row in self.doc["results"] if not row["baseline"]]

    def says(self, text):
        """Is it what a finding, a note or a claim in the run's own JSON says (tests of evidence hold it to its figure)?"""
        return any(json.dumps(text, ensure_ascii=False)[1:-1] in json.dumps(each, ensure_ascii=False)
                   for each in (*self.evidence.values(), self.doc["notes"], self.doc["limits"]))  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Five runs that have little in common."""
    home, made = tmp_path_factory.mktemp("runs"), {}
    acme(home / "acme")
    (home / "mine.py").write_text(MINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for name, words in RUNS.items():
            folder = home / name.replace(" ", "-")
            done = CliRunner().invoke(cli, ["run", *words, "--verbose", "--trials", "tried.jsonl", "-o", str(folder)])
            assert done.exit_code == 0, done.output
            record = read_run(folder)
            made[name] = Run(folder, done.stdout)
            first = first_screen(record, made[name].doc["title"], report_end(record.evidence, short=True))
            made[name].sentences += of_terminal(first)
    return made


def value(text):
    """A printed number."""
    return float(text.replace("−", "-").replace(",", ""))


def close(text, figure, digits=2):
    """Is a figure printed as this text?"""
    return abs(value(text) - figure) <= 0.5000001 * 10**-digits


def key_move(run, symbol):
    """Overnight gap, open to close, close to close of the key session in percent, from the bars."""
    bars = [row for row in run.tables["bars"] if row["symbol"] == symbol]
    at = next((n for n, row in enumerate(bars) if row["session"] == run.doc["key_session"]), 0)
    if at == 0:  # listed on that day, or later
        return None
    before, opened, closed = float(bars[at - 1]["close"]), float(bars[at]["open"]), float(bars[at]["close"])
    return (opened / before - 1) * 100, (closed / opened - 1) * 100, (closed / before - 1) * 100


def held(run):
    """What the benchmark made from the first open to the last close, from the bars (no dividend but ACME's of 1 dollar)."""
    bars = [row for row in run.tables["bars"] if row["symbol"] == "SPY"][1:]
    paid = 1.0 if run.doc["episode"] == "acme" else 0.0
    if run.doc["episode"] == "quiet-2023":
        paid = 1.583  # SPY's dividend of 15 September 2023, its 2023 third-quarter distribution
    return ((float(bars[-1]["close"]) + paid) / float(bars[0]["open"]) - 1) * 100


def verdict(run, found):
    """Move, benchmark, returns and luck, each from the run's tables."""
    gap, tradable, whole = key_move(run, found["symbol"])
    moves = all(map(close, (found["whole"], found["gap"], found["tradable"]), (whole, gap, tradable)))
    rest, mine = found["rest"], run.returns(baseline=False)
    if not any(run.own_entries()):
        made = rest.startswith("no strategy traded while SPY made ") and "luck" not in rest
    else:
        spread = re.search(r"made (\S+)(?: to (\S+))? % against (\S+) % of SPY", rest)
        made = close(spread[1], min(mine), 1) and close(spread[2] or spread[1], max(mine), 1)
        made &= close(spread[3], held(run), 1)
    luck = ("no gain for luck" in rest) == (any(run.own_entries()) and max(mine) <= 0)
    return moves and made and luck


def entered(run, found):
    """The window's sessions, and the least and most sessions of entries."""
    counts = run.own_entries()
    said = [int(each) for each in re.findall(r"\d+", found["span"])]
    return int(found["sessions"]) == run.doc["window"]["sessions"] and said == sorted({min(counts), max(counts)})


def sources(run, found):
    """How many, and the share of the largest."""
    names = [row["source"] for row in run.tables["scores"]]
    share = names.count(found["name"]) / len(names) * 100
    return (int(found["total"]), int(found["count"])) == (len(names), len(set(names))) and close(
        found["share"], share, 0
    )


def fills(run, found):
    """Where, how many, and at what slippage."""
    at = [row["auction"] for row in run.tables["fills"]]
    places = {"opening": at.count("open"), "closing": at.count("close")}
    said = {place: int(count.replace(",", "")) for count, place in re.findall(r"([\d,]+) at the (\w+)", found["where"])}
    return said == {place: count for place, count in places.items() if count} and (
        float(found["bps"]) == run.config["broker"]["slippage_bps"]
    )


def spans(run, found):
    """Returns of strategies, baselines and benchmark."""
    ok = [close(found["held"], held(run), 1)]
    for kind, baseline in (("mine", False), ("base", True)):
        made = run.returns(baseline=baseline)
        if found[kind] is None:
            ok.append(not made)
            continue
        low, _, high = found[kind].partition(" to ")
        ok += [close(low, min(made), 1), close(high or low, max(made), 1)]
    return all(ok)


def audited(run, found):
    """The decisions of the short audit, and that none differed."""
    audit = run.doc["audit"]
    return value(found["n"]) == audit["decisions"] and not audit["violations"] and not audit.get("unproved")


def rates(run, found):
    """The broker's terms."""
    terms = run.config["broker"]
    return [float(found[key]) for key in ("comm", "slip", "borrow")] == [
        terms["commission_bps"], terms["slippage_bps"], terms["borrow_pct"]
    ]  # fmt: skip


def gaps(run, found):
    """How many symbols moved more overnight than in the session."""
    moves = [key_move(run, symbol) for members in run.doc["sectors"].values() for symbol in members]
    moves = [move for move in moves if move]
    return (int(found["n"]), int(found["all"])) == (sum(abs(m[0]) > abs(m[1]) for m in moves), len(moves))


def heads(run, found):
    """Counts of headlines; `about` is of those about AI, whenever they came."""
    used = [row for row in run.tables["scores"] if row["used"] == "True"]
    times = run.tables["sessions"]
    first, last = (
        datetime.fromisoformat(times[1]["opens"]) - timedelta(days=30),
        datetime.fromisoformat(times[-1]["closes"]),
    )
    in_time = sum(first <= datetime.fromisoformat(row["known_at"]) <= last for row in used)
    about = found.groupdict().get("about")
    return (
        int(found["total"]) == len(run.tables["scores"]) and int(found["used"]) == in_time
        and (about is None or int(about) == len(used))
    )  # fmt: skip


def trades(run, found):
    """Positions and sessions of entry of a strategy."""
    mine = [row for row in run.tables["trades"] if row["strategy"] == found["name"]]
    return (int(found["n"]), int(found["days"])) == (len(mine), run.entries(found["name"]))


def profit(run, found):
    """A strategy's profit in US dollars."""
    row = run.row(found["name"])
    return row is not None and close(found["usd"], row["final_equity"] - run.config["broker"]["cash"], 0)


def severe(run, found):
    """All severe findings of a strategy, and no other."""
    rows = [row for row in run.evidence["critique"]["strategies"] if row["strategy"] == found["name"]]
    says = [each["says"] for row in rows for each in row["findings"] if each["grade"] == "severe"]
    return bool(rows) and found["says"] == (" ".join(says) or "nothing severe.")


def contradicted(run, found):
    """The claims that the prices contradict under this criterion."""
    rows = [row for row in run.doc["claims"] if row["criterion"] == found["criterion"]]
    symbols = {row["symbol"] for row in rows if row["verdict"] == "contradicted"}
    return symbols == set(re.findall(r"(\S+) [+−]", found["symbols"]))


def counted(run, found):
    """The claims by their verdicts."""
    said = {name: int(count) for count, name in re.findall(r"(\d+) ([a-z ]+)", found["said"])}
    verdicts = [row["verdict"] for row in run.doc["claims"]]
    return int(found["n"]) == len(verdicts) and said == {name: verdicts.count(name) for name in set(verdicts)}


def gravest(run, found):
    """A severe finding of that strategy, and how many others have one of the same code."""
    rows = [row for row in run.evidence["critique"]["strategies"] if not row["baseline"]]
    severe = {row["strategy"]: {each["says"]: each["code"] for each in row["findings"] if each["grade"] == "severe"}
              for row in rows}  # fmt: skip
    code = severe.get(found["name"], {}).get(found["says"])
    others = sum(code in codes.values() for codes in severe.values()) - 1
    return code is not None and int(found["more"] or 0) == others


def graded(run, found):
    """How many findings of each grade a strategy has."""
    rows = [row for row in run.evidence["critique"]["strategies"] if row["strategy"] == found["name"]]
    grades = [each["grade"] for row in rows for each in row["findings"]]
    said = {grade: int(count) for count, grade in re.findall(r"(\d+) (\w+)", found["counts"])}
    return bool(rows) and said == {grade: grades.count(grade) for grade in set(grades)}


def judged(run, found):
    """How many symbols, and how many of them are in the table of exposures by the window's end."""
    symbols = {symbol for members in run.doc["sectors"].values() for symbol in members}
    with (EPISODES.parent.parent / "strategies" / "universe.csv").open() as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        known = {row["symbol"] for row in rows if row["valid_from"] <= run.doc["window"]["end"]}
    return (int(found["n"]), int(found["all"])) == (len(symbols & known), len(symbols))


def traded(run, found):
    """What was filled on the key session, the largest first; nothing where nothing was."""
    row = run.row(found["name"])
    return row is not None and found["what"].startswith("nothing") is not bool(row["key_session_fills"])


def sampled(run, found):
    """The range of some strategy's return over other samples of the news."""
    drawn = [row["resampled"] for row in run.doc["results"] if "low_pct" in row["resampled"]]
    return any(
        close(found["low"], each["low_pct"], 1) and close(found["high"], each["high_pct"], 1) for each in drawn
    )  # fmt: skip


def not_sampled(run, found):
    """Those without a range, all of them that have this reason, and the reason holds."""
    names = [row["label"] for row in run.doc["results"] if row["resampled"].get("why_not") == found["why"]]
    in_window = {row["session"] for row in run.tables["sessions"][1:]}
    holds = {
        "reads": set(names) <= {"always-short", "buy-hold", "gap-only"},
        "is": set(names) == {row["name"] for row in run.config["strategies"] if "code" in row},
        "no": not any(row["used"] == "True" and row["session"] in in_window for row in run.tables["scores"]),
    }
    return names == found["names"].split(", ") and holds[found["why"].split()[0]]


def idle(run, found):
    """Strategies whose sectors the episode has no symbol of: named in its document, and none of them traded."""
    names, sectors = found["names"].split(", "), set(run.doc["sectors"])
    named = {row["strategy"] for row in run.doc["nothing_to_trade"]}
    return (
        set(names) <= named and not any(map(run.entries, names)) and not sectors & set(found["sectors"].split(" or "))
    )


NAME = r"(?P<name>[a-zA-Z-]+(?: \([^)]*\))?)"
DEFINITIONS = {
    "Aftershock · report of a run", "What happened", "News", "Strategies", "Trades", "Costs", "Evidence", "Audit",
    "Data card", "Limits", "The figures as a table", "What was reported, and what the prices say", "Price of",
    "Claims against prices", "The news over the price", "The whole window", "Headlines about AI; scores in [−1, 1]",
    "Strategies, baselines and benchmark", "Trades, and the headlines behind them", "Each trade", "What it cost",
    "What this does not show", "When the profit was made", "Which headlines made the profit", "Clocks", "Hashes",
    "What speaks against it", "How many configurations were tried", "Versions", "The whole configuration",
    "overnight gap (close before to open) open to close (tradable) close",
    ("builds up demand for AI undercuts it neither; hollow: reports a price move. Shaded: the exchange is open. Dotted: it "
    "is shut."),
    "long short; the curve of a strategy is coloured, that of a baseline is not",
    ("Return in percent of the cash at the start, all on one scale and the others faint behind; below it the fall from "
    "the peak, and net exposure as a fraction of equity at each close."),
    ("A trade is a round trip in one symbol. Behind each entry stand the headlines that were known in time for it and "
    "moved the signal, strongest first, with their score."),
    "commission slippage borrow dividends paid",
    "Costs, and profit before and after them, US dollars; paid +, received −",
    "Was it tradable, was it the news, was it luck?",
    "Profit by part of the day, US dollars; the parts add up exactly",
    "Sharpe ratios against the number of configurations tried",
    "(gap: overnight, close before to open; tradable: open to close; they compound, they do not add)",
    "What speaks against each strategy (severe points; all, of baselines too: evidence/critique.json)",
    "Only what this ledger saw is counted: what was tried elsewhere, or in one's head, is not.",
    "Trials whose session returns are nearly the same count as one outcome, however many there are.",
    "gravest objections (all: --verbose)",
    "The probabilities take sessions for independent; the intervals, drawn in blocks of sessions, do not.",
}  # fmt: skip
DERIVED = {
    r"On (?P<day>\S+) (?P<symbol>\S+) closed (?P<whole>\S+) %, of which (?P<gap>\S+) % was the overnight gap and "
    r"(?P<tradable>\S+) % could be traded from open to close; (?P<rest>.*)\.": verdict,
    r"(?P<title>.+): (?P<from>\S+) to (?P<to>\S+), (?P<n>\d+) sessions(, auctions close)?":
        lambda run, f: (f["title"], int(f["n"])) == (run.doc["title"], len({r["session"] for r in run.tables["sessions"]}) - 1),
    r"(?P<title>.+)": lambda run, f: f["title"] == run.doc["title"],
    r"headlines: (?P<total>\d+) \(.*\), (?P<used>\d+) about AI in the window or the 30 days before it, \d+ rejected": heads,
    r"\S+ to \S+ · \d+ sessions · (?P<total>\d+) headlines, (?P<used>\d+) about AI in the window or the 30 days before it, .*": heads,
    r"Of (?P<total>\d+) headlines (?P<about>\d+) are about AI and its supply chain, (?P<used>\d+) of them in the window .*":
        lambda run, f: heads(run, f) and ("the first close" in f[0]) == (run.config["broker"]["auctions"] == "close"),
    r"when they were known: (?P<n>\d+) assumed \(published \+ stated delay\)":
        lambda run, f: int(f["n"]) == run.doc["headlines"]["by_basis"]["assumed"],
    r"What was reported, and what the prices say of (?P<day>\S+)": lambda run, f: f["day"] == run.doc["key_session"],
    r"What the news said for the (open|close) of (?P<day>\S+) \(.*\)": lambda run, f: f["day"] == run.doc["key_session"],
    r"What each traded on (?P<day>\S+), and at which price .*": lambda run, f: f["day"] == run.doc["key_session"],
    r"Percent against the close before (?P<day>\S+)\. The two parts .*": lambda run, f: f["day"] == run.doc["key_session"],
    r"Moves on (?P<day>\S+), percent": lambda run, f: f["day"] == run.doc["key_session"],
    r"From the session before (?P<day>\S+) to the session after it": lambda run, f: f["day"] == run.doc["key_session"],
    r"nothing about AI": lambda run, _: not [
        row for row in run.tables["scores"] if row["used"] == "True" and row["session"] == run.doc["key_session"]
    ],
    r"(What each strategy made \(|Returns and drawdowns in percent; )(?P<legend>.*)":
        lambda run, f: ("no baseline ran" in f["legend"]) == (not run.returns(baseline=True)),
    r"other news: middle 90 % of the return over (?P<n>\d+) samples of the same news, redrawn .*": lambda run, f: {
        row["resampled"].get("samples", int(f["n"])) for row in run.doc["results"]} == {int(f["n"])},
    r"other news (?P<low>\S+) … (?P<high>\S+) %, flips (?P<flips><?\d+) %": sampled,
    r"other news –": lambda run, _: any("why_not" in row["resampled"] for row in run.doc["results"]),
    r"Sharpe: – of (?P<n>\d+) session returns; from 10 on a ratio is given": lambda run, f: (
        int(f["n"]) == run.doc["window"]["sessions"] < 10 and not any(row["sharpe"] for row in run.doc["results"])),
    r"Sharpe: – where returns do not vary or equity was lost: (?P<names>.*)": lambda run, f: all(
        (row["sharpe"] is None) == (row["label"] in f["names"].split(", ")) for row in run.doc["results"]
    ) and not any(map(run.entries, f["names"].split(", "))),
    r"not resampled: (?P<names>.*): (?P<why>[^:]+)": not_sampled,
    r"scorer (?P<name>.+): trained on data until (?P<until>\S+), before the first session: not contaminated":
        lambda run, f: f["name"] == run.config["scorer"] and f["until"] < run.doc["window"]["start"],
    r"(?P<n>\d+) claims: (?P<said>.*)": counted,
    rf"(− )?{NAME}: (?P<says>.*?)( \((?P<more>\d+) more: the like\))?": gravest,
    r"… and (?P<n>\d+) more: --verbose": lambda run, f: 0 < int(f["n"]) < sum(map(len, run.doc["notes"])) / 40,
    r"objections: nothing severe against any strategy": lambda run, _: not any(
        each["grade"] == "severe" for row in run.evidence["critique"]["strategies"] if not row["baseline"]
        for each in row["findings"]),
    r"contradicted: (?P<symbols>.*); to confirm it: (?P<criterion>.*)": contradicted,
    r"audit: (?P<n>[\d,]+) decisions re-decided without the future, 0 differed\.?": audited,
    r"No decision of this run used the future: (?P<n>[\d,]+) decisions were made again .*": audited,
    r"On these data and window: (?P<says>.*?)(; .*|; the ledger is intact\..*)?":
        lambda run, f: f["says"].startswith(run.evidence["trials"]["says"]) and run.evidence["trials"]["ledger"]["intact"],
    r"No strategy entered a position in one window of (?P<n>\d+) sessions: nothing was tested\.":
        lambda run, f: not any(run.own_entries()) and int(f["n"]) == run.doc["window"]["sessions"],
    r"It is one window of (?P<sessions>\d+) sessions, and strategies entered positions in (?P<span>.*) sessions?: .*": entered,
    r"The (?P<total>\d+) headlines are of (?P<count>\d+) sources \((?P<name>.*): (?P<share>\d+) %\): .*": sources,
    r"All (?P<n>\d+) headlines are of one source, (?P<name>.*): .*": lambda run, f: {r["source"] for r in run.tables["scores"]} == {f["name"]},
    r"When (?P<n>\d+) of (?P<all>\d+) headlines could be read is assumed: the publisher's time plus (?P<m>\d+) minutes\.":
        lambda run, f: (int(f["n"]), float(f["m"])) == (run.doc["headlines"]["by_basis"]["assumed"], run.config["assumed_delay_minutes"]),
    r"Fills: (?P<where>.*), with (?P<bps>\S+) bps of slippage in auctions; .*": fills,
    r"How AI demand moves (?P<n>\d+) of the (?P<all>\d+) symbols is .*": judged,
    r"(?P<n>\d+) of (?P<all>\d+) symbols moved more in the overnight gap .*": gaps,
    r"(No strategy ran|\d+ strateg(y|ies) made (?P<mine>.*) %)\. (No baseline ran|\d+ baselines? made (?P<base>.*) %)\. "
    r"SPY, the benchmark, made (?P<held>\S+) %\.": spans,
    r"Commission is (?P<comm>\S+) bps .*, slippage (?P<slip>\S+) bps .*, borrow (?P<borrow>\S+) % a year on shorts .*": rates,
    rf"{NAME}: (?P<n>\d+) positions? opened in (?P<days>\d+) sessions?": trades,
    rf"{NAME}: no trade\.": lambda run, f: not run.entries(f["name"]),
    rf"Trades of {NAME}; prices and money in US dollars": lambda run, f: run.entries(f["name"]) > 0,
    rf"{NAME}: profit by headline": lambda run, f: f["name"] in run.names,
    rf"{NAME}: (?P<usd>\S+) US dollars": profit,
    r"NOTHING TO TRADE for (?P<names>.*): there is no symbol of (?P<sectors>.*); a return of 0\.00 % says .*": idle,
    rf"{NAME}: (?P<counts>(\d+ (severe|caution|fine|unknown)(, )?)+)": graded,
    rf"{NAME}: (?P<says>.*\.)": severe,
    rf"{NAME}: (?P<what>.*)": traded,
    rf"{NAME}( baseline)?": lambda run, f: f["name"] in run.names,
    r"(?P<pct>[+−\d.,]+) %": lambda run, f: any(close(f["pct"], row["return_pct"], 1) for row in run.doc["results"]),
    r"(?P<day>\d{4}-\S+) (long|short) .*": lambda run, f: any(row["opened"] == f["day"] for row in run.tables["trades"]),
    r"\d\d-\d\d \d\d:\d\d [+−\d.]+|and \d+ more": lambda run, _: any(
        trade["headlines"] for trade in run.evidence["gaps"]["trades"]
    ),
    r"No headline stands behind these\.": lambda run, _: any(not t["headlines"] for t in run.evidence["gaps"]["trades"]),
    r"No headline: \S+ US dollars; headlines with less than a thousandth of a position: (?P<rest>\S+); residual (?P<r>\S+)\.":
        lambda run, f: float(f["r"]) < 1e-6 and any(close(f["rest"], each["remainder_usd"], 0)
                                                    for each in run.evidence["attribution"]["strategies"]),
    r"The (?P<n>\d+) headlines as a table": lambda run, f: int(f["n"]) == sum(r["used"] == "True" for r in run.tables["scores"]),
    r"Costs in percent of the cash at the start\.(?P<more>.*)":
        lambda run, f: bool(f["more"]) == any(row["costs"]["dividends"] < 0 for row in run.doc["results"]),
    r"(severe|caution|fine|unknown) (?P<says>.*)": lambda run, f: run.says(f["says"]),
    r"Not gathered for this run: (?P<verbs>.*) would add it to this page\.":
        lambda run, f: not {v for v in ("study", "placebo", "delay") if v in run.evidence and v in f["verbs"]},
    r"Run \S+ No seed: no strategy of this run draws random numbers\. .*":
        lambda run, _: not any("code" in row for row in run.config["strategies"]),
    r"Run \S+ No seed: only the user's own Fifth could draw random numbers\. .*":
        lambda run, _: [row["name"] for row in run.config["strategies"] if "code" in row] == ["Fifth"],
}  # fmt: skip


def source_of(sentence, run):
    """Returns the source of a sentence: `definition`, `limits or notes`, or the pattern that holds; None: it has none."""
    if sentence in DEFINITIONS:
        return "definition"
    if sentence in run.doc["limits"] or any(sentence in each.get("notes", ()) for each in run.evidence.values()):
        return "limits or notes"
    for pattern, holds in DERIVED.items():
        found = re.fullmatch(pattern, sentence)
        if found and holds(run, found):
            return pattern
    return None


@pytest.mark.parametrize("name", RUNS)
def test_every_sentence_is_a_definition_or_true_of_this_run(runs, name):
    """Traced to a figure of the run's own files; a constant about runs has no source and fails."""
    run = runs[name]
    assert [sentence for sentence in dict.fromkeys(run.sentences) if source_of(sentence, run) is None] == []


def test_no_source_is_left_without_a_sentence(runs):
    """Each row above is printed by one of the five."""
    used = {source_of(sentence, run) for run in runs.values() for sentence in run.sentences}
    assert [pattern for pattern in DERIVED if pattern not in used] == []
    printed = {sentence for run in runs.values() for sentence in run.sentences}
    assert [sentence for sentence in DEFINITIONS if sentence not in printed] == []


@pytest.mark.parametrize(
    "sentence",
    ["Nothing was tuned to this window.", "One episode proves nothing: all chips fell on one day.",
     "The news flow is a sample by a stated rule.", "Every strategy stands beside baselines that any reader could run.",
     "No strategy entered a position in one window of 19 sessions: nothing was tested.",
     "It is one window of 13 sessions, and strategies entered positions in 2 sessions: so few cases say little of others."],
)  # fmt: skip
def test_a_sentence_that_is_not_true_of_each_run_is_found(runs, sentence):
    """Constants of earlier versions, and two that are false: none has a source in all five runs."""
    assert not all(source_of(sentence, run) for run in runs.values())
