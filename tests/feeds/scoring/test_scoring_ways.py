"""The quick way to a score is the plain one: what a glance leaves out, and the short ways, change no score."""

from __future__ import annotations

import functools
import gc
import operator
import random
import re
import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.scoring import Score, ScoreInput, forget, score, score_many
from feeds.scoring.clauses import asks, bare
from feeds.scoring.disruption import read, sentiment
from feeds.scoring.entities import entities
from feeds.scoring.explain import explain
from feeds.scoring.glance import Glance
from feeds.scoring.identify import identify, identify_many
from feeds.scoring.language import ask, decide, votes
from feeds.scoring.lists import DATA, choices, name_words
from feeds.scoring.phrases import LISTS
from feeds.scoring.reaction import reaction
from feeds.scoring.rows import split
from feeds.scoring.tone import tone
from feeds.scoring.vader import _rounded
from tests.helpers.vader_texts import texts


def named(text: str) -> bool:
    """Whether a name begins with a word of a text, or a part of a hyphenated one; "Nvidia.com" is another word."""
    parts = {part for word in split(text).words for part in (word, *word.split("-"))}
    return not name_words().isdisjoint({form for part in parts for form in (part, part.removesuffix("s"))})


def plainly(title: str, summary: str, language: str, as_of: date | None) -> Score:
    """A score by all engines on all of the text, nothing looked at beforehand."""
    title = bare(title)
    text = f"{title} {summary}"
    said, marks = zip(*map(votes, text.split(" ")), strict=True)
    marked = functools.reduce(operator.or_, marks)
    detected = decide(sum(said), marked, language) or ask([text], [marked], [language])[0]
    if detected not in LISTS or not title.strip():
        return Score(language=detected, relevance=0.0, sentiment=0.0, tone=0.0)
    row = split(title)
    asked = asks(row.words)
    mood, words = tone(title, detected, as_of)
    reported, caused = (False, False) if asked else reaction(row, as_of)
    reading, told = read(title, as_of), read(summary, as_of)
    about = titled = reading.relevance()
    value, implied, rules = sentiment(reading) if about else (0.0, 0.0, ())
    if not (about and rules):
        about = about or told.relevance() / 2
        if titled and told.mask & told.book.matters and not reported:
            half, _, rules = sentiment(told)
            value = half / 2
    mood = implied if abs(mood) < 0.05 and not asked else mood
    return Score(
        language=detected, relevance=about, sentiment=value, tone=mood,
        entities=entities(*(text if named(text) else "" for text in (title, summary)), detected, mood, as_of), reaction=reported,
        cause=reported and (caused or bool(rules)),
        features=(*(f"disruption:{rule}" for rule in rules), *(f"tone:{word}" for word in words)),
    )  # fmt: skip


def listed() -> tuple[list[str], list[str]]:
    """All words of the lists, and patterns of several words, each in one of its forms."""
    words: set[str] = set()
    patterns: list[str] = []
    for path in sorted(DATA.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        tomllib.loads(text)
        words |= set(re.findall(r"[^\s\"|,\[\]()*~?=]+", text))
        patterns += [each for each in re.findall(r'"([^"\n]+)"', text) if " " in each and len(each) < 150]
    return sorted(words), patterns


def form(pattern: str, words: list[str], chance: random.Random) -> str:
    """A pattern in words of a text."""
    out: list[str] = []
    for slot in pattern.split():
        if slot.startswith("~"):
            out += chance.sample(words, chance.randrange(int(slot[1:]) + 1)) if slot[1:].isdigit() else []
        elif slot != "<end>":
            word = chance.choice(slot.strip("()").split("|")).rstrip("?").replace("*", chance.choice(("", "s", "ing")))
            out.append(word + chance.choice(("", "", "", ",", "!", "'s")))
    return " ".join(chance.choice((str, str, str.title, str.upper))(word) for word in out)


def headlines(count: int, seed: int) -> list[tuple[str, str, str, date | None]]:
    """Titles made of the lists' own words and patterns, and texts full of what VADER treats specially."""
    chance = random.Random(seed)
    words, patterns = listed()
    odd = list(texts(count // 4, seed=seed))
    made = []
    for number in range(count):
        parts = [form(chance.choice(patterns), words, chance), *chance.sample(words, chance.randrange(5))]
        parts += [chance.choice(("Nvidia", "Siemens", "shares", "after", "not", "?", "-", "’s", "AI-driven", "the"))]
        chance.shuffle(parts)
        title = odd[number // 4] if number % 4 == 3 else chance.choice((" ", " ", " ", "  ")).join(parts)
        summary = form(chance.choice(patterns), words, chance) if chance.random() < 0.3 else ""
        made.append(
            (title, summary, chance.choice(("en", "en", "de", "")), chance.choice((None, None, date(2023, 1, 1))))
        )
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_every_way_gives_the_same_score(seed):
    """4,000 titles, with summaries, declared languages and old lists: all parts, features included."""
    wrong = [
        each for each in headlines(4_000, seed)
        if score(each[0], each[1], language=each[2], lexicon_as_of=each[3]) != plainly(*each)
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("opener", ["aſ", "amıd", "amİd", "deſpite", "ſince"])
def test_a_subordinate_clause_in_letters_that_count_as_others_is_seen(opener):
    """A search that knows no capitals takes ſ for s and ı for i; so does the glance, or the short way would be taken."""
    title = f"Shares surge {opener} terrible crash, fraud and fear"
    assert score(title, language="en") == plainly(title, "", "en", None)
    assert score(title, language="en").tone > 0 > score("terrible crash, fraud and fear", language="en").tone


@pytest.mark.parametrize(
    "title", ["Will the rally last? - Reuters", "UPDATE 1-How to win a war", "Podcast: Win - Reuters"]
)
def test_the_explanation_is_of_what_was_scored(title):
    """Without what agencies put before a title and portals behind it, in the same language."""
    lines = explain(title)
    assert lines[0] == f"language {score(title).language}"
    assert "  a question: says nothing" in lines
    assert score(title).tone == 0


def test_no_table_of_pieces_grows_without_end():
    """Words that nobody uses twice: the tables stop, the scores do not."""
    look = Glance("en", None, most=300)
    for number in range(1_000):
        look.look([f"chip{chr(97 + number % 26)}-{chr(97 + number // 26)}-demand", "falls"])
    assert len(look.met) == 300
    assert len(look._words._known) == 300
    assert [word.lower for word in look.look(["falls", "falls" * 9])[2]] == ["falls"]


@given(st.lists(st.text("ab.*", min_size=1, max_size=4), min_size=1), st.text("ab.*", max_size=12))
def test_texts_grouped_by_their_first_letter_are_found_as_in_a_row(choice, text):
    """The first of a list counts, whatever letter it begins with; signs of patterns are but signs."""
    grouped, plain = re.compile(choices(choice)), re.compile("|".join(map(re.escape, choice)))
    assert grouped.findall(text) == plain.findall(text)


@given(st.floats(-1, 1) | st.integers(-20_000, 20_000).map(lambda each: each / 20_000))
def test_rounding_to_four_digits_is_pythons(value):
    """To the last digit, ties and the sign of zero too."""
    assert repr(_rounded(value)) == repr(round(value, 4))


def test_many_headlines_at_once_have_the_scores_of_each():
    """In their order, repeats among them, from an iterator too; and none for none."""
    made = [ScoreInput(*each[:3]) for each in headlines(2_500, seed=3)]
    made += made[:100]
    together = score_many(iter(made))
    forget()
    assert together == [score(each.title, each.summary, language=each.language) for each in made]
    assert len(set(together)) > 1_000
    assert score_many([]) == []
    assert gc.isenabled()


def test_py3langid_says_the_same_of_many_texts_as_of_each():
    """Ten languages, names, fuzz, nothing; long and short."""
    sentences = [
        "Las bolsas europeas suben con fuerza", "Le marché recule après la publication", "Mercati in calo a Milano",
        "Aktierne falder igen i dag", "Pörssi laski tänään", "De beurs sluit lager", "Akcje spółki rosną", "Börsen faller",
        "Ações da empresa caem", "Aksjene stiger kraftig", "Nifty ITC Infosys", "", "ß", "日本株が下落", "\ud800",
    ]  # fmt: skip
    mixed = sentences + [" ".join(sentences[:number]) for number in range(2, 12)] + list(texts(600, seed=4))
    for accented in (True, False):
        each = [identify(text, accented=accented) for text in mixed]
        assert identify_many(mixed, [accented] * len(mixed)) == each
        assert len(set(each)) > 8
