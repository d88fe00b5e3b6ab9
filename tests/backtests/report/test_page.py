"""The report page without a browser: the same bytes, nothing of strangers in its markup, its policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests import Result, load_episode, replay
from backtests.cli import cli
from backtests.report import page
from backtests.report.page import svg
from backtests.report.page.markup import safe_url, table, title_of
from backtests.report.page.timeline import tooltips
from backtests.runs.folder import page_of


@pytest.fixture(scope="module")
def result():
    """Three strategies on the shipped episode."""
    return replay(load_episode("deepseek-2025"), ["shock", "gap-only", "buy-hold"])


class Tags(HTMLParser):
    """Collects the tags of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Each opening tag, with the names of its attributes."""
        self.found += [tag, *(f"@{name}" for name, _ in attrs)]


def tags(markup: str) -> set[str]:
    """The tags and attributes in a piece of HTML."""
    reader = Tags()
    reader.feed(markup)
    return set(reader.found)


def test_a_loaded_run_gives_the_very_page_that_was_saved(result, tmp_path):
    """From the folder alone, byte for byte."""
    folder = result.save(tmp_path / "run")
    assert page_of(Result.load(folder)) == (folder / "report.html").read_text(encoding="utf-8")


def test_the_sections_come_in_their_order(result):
    """What happened first, what it does not show last."""
    order = ["happened", "news", "strategies", "trades", "costs", "evidence", "audit", "card", "limits"]
    assert re.findall(r'<section id="(\w+)"', page_of(result)) == order


def test_the_policy_names_the_hashes_of_the_one_style_and_the_one_script(result):
    """Nothing else may run or style, and nothing may be fetched."""
    page = page_of(result)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    for kind, text in (
        ("style-src", re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]),
        ("script-src", re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]),
    ):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page


@given(st.text())
@settings(max_examples=200)
def test_no_headline_makes_a_tag_or_an_attribute(text):
    """Whatever it holds, in title, address, language and cell."""
    plain = tags(title_of("x", "https://example.org", "en"))
    assert tags(title_of(text, "https://example.org/" + text, text)) <= plain
    assert tags(table(("a",), [(text,)], text)) == tags(table(("a",), [("x",)], "x"))


@given(st.text())
@settings(max_examples=100)
def test_no_headline_ends_the_block_of_facts_early(text):
    """The block parses back to the very text, and has no `<` in it."""
    row = {
        "title": text, "language": "en", "source": text, "known_at": "2025-01-27T14:15:00+00:00", "sentiment": 0.0,
        "relevance": 1.0, "tone": 0.0, "features": text, "reaction": False, "cause": False, "session": "2025-01-27",
    }  # fmt: skip
    inside = tooltips([row]).removeprefix('<script type="application/json" id="headlines">').removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside)[0]["title"] == text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org", "http://",
     "java\nscript:alert(1)", "https://exa\nmple.org", "vbscript:x", "http://[", ""],
)  # fmt: skip
def test_an_address_that_is_not_plain_http_is_no_link(url):
    """The headline stays, as text."""
    assert safe_url(url) == ""
    assert "<a" not in title_of("x", url, "en")


def test_a_link_gives_nothing_away():
    """A new tab, no opener, no referrer; the headline in its own language."""
    made = title_of("Kurssturz & mehr", "https://example.org/?a=1&b=2", "de")
    assert 'rel="noopener noreferrer"' in made
    assert 'lang="de"' in made
    assert "Kurssturz &amp; mehr" in made


def test_ticks_are_round_and_lie_within():
    """By hand: −30 to 3 in about six steps."""
    assert svg.ticks(-30, 3, 6) == [-30, -20, -10, 0]
    assert svg.ticks(0, 1, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert svg.ticks(5, 5) == [5]


def test_every_kind_of_evidence_is_drawn_once_it_is_there(tmp_path):
    """`study`, `delay` and `placebo` on a run's folder add themselves to its page; before, it names them as missing."""
    folder = str(tmp_path / "run")
    words = [
        "run",
        "deepseek-2025",
        "-s",
        "shock",
        "--no-baselines",
        "--set",
        "reactions=with-cause",
        "--trials",
        "off",
        "-o",
        folder,
    ]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    page = tmp_path / "run" / "report.html"
    assert "Not gathered for this run" in page.read_text(encoding="utf-8")
    placebo, resample = (
        ["placebo", folder, "-n", "3", "--engine", "replay"],
        ["resample", folder, "-n", "9", "--keep", "none"],
    )
    for verb in (["study", folder], ["delay", folder], placebo, resample):
        assert CliRunner().invoke(cli, verb, catch_exceptions=False).exit_code == 0
    text = page.read_text(encoding="utf-8")
    for title in (
        "Event study",
        "Delay ladder",
        "Placebo news",
        "Another sample",
        "When the profit was made",
        "What speaks against it",
    ):
        assert f"<h3>{title}" in text
    assert "Not gathered" not in text


def test_a_colour_means_one_thing():
    """Gain and loss, long and short, strategy and baseline, gap and tradable, costs: no two share a colour."""
    css = page_style()
    meanings = {"gain": ".rose", "loss": ".fell", "long": ".long", "short": ".short", "mine": ".mine.strategy",
                "baseline": ".mine.baseline", "gap": ".gap", "tradable": ".tradable", "news": ".dot.up,.dot.down"}  # fmt: skip
    for scheme in re.findall(r":root\{(.*?)\}", css):
        colours = dict(re.findall(r"--(\w+):(#\w+)", scheme))
        own = [colours[name] for name in (*meanings, "commission", "slippage", "borrow", "dividends")]
        assert len(set(own)) == len(own)
    for name, selector in meanings.items():
        users = set(re.findall(rf"([^{{}}\s]+)\{{[^{{}}]*var\(--{name}\)", css))
        extra = {"loss": {".fall"}, "mine": {".panel.strategy", ".big"}, "news": {".dot.up.hollow,.dot.down.hollow"}}
        assert selector in users
        assert users <= {selector, *extra.get(name, ())}


def page_style() -> str:
    """The style sheet of every page."""
    return re.search(r"<style>(.*?)</style>", page.shell("x", []), re.DOTALL)[1]
