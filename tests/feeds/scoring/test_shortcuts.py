"""What is looked at only where it can matter says what looking everywhere would say."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

import feeds.scoring
from feeds.scoring import DEFAULT, score
from feeds.scoring.companies.entities import _begins, _regex
from feeds.scoring.features.parts import letters
from feeds.scoring.features.tone import analyzer
from feeds.scoring.heads.spelling import Spelling
from feeds.scoring.score import _fingerprint
from feeds.scoring.text.language import _BITS, _FOREIGN, _MOST, _UMLAUTS, _WORD, _votes
from feeds.scoring.text.lists import load, names
from feeds.scoring.text.matching import Matcher, _match, _slot

_SPECIAL = [word for idiom in (*SPECIAL_CASES, *BOOSTER_DICT, *NEGATE) for word in idiom.split()]
_PLAIN = "so this doubt least no but good bad GREAT plunges record the chip kind of very NOT Never without !! ? :) 😀".split()


@settings(max_examples=400)
@given(st.lists(st.sampled_from([*_SPECIAL, *_PLAIN * 40]), max_size=9).map(" ".join))
def test_the_analyzer_is_the_packages_with_our_words(text):
    """With its negations, idioms and boosters anywhere."""
    ours = analyzer("en", None)
    package = object.__new__(SentimentIntensityAnalyzer)
    package.lexicon, package.emojis = ours.lexicon, ours.emojis
    assert ours.polarity_scores(text) == package.polarity_scores(text)


_LETTER = st.sampled_from("abcäß-'.1")


@given(st.lists(st.text(_LETTER, max_size=7), max_size=12), st.lists(st.text(_LETTER, max_size=5), max_size=6))
def test_letters_of_words_weigh_what_their_features_weigh(words, learned):
    """Added up one by one; words and letters that were never learned among them, and each word once more."""
    known = sorted({name for word in learned for name in letters(word)})
    whole = np.zeros((len(known) + 1, 9), dtype=np.float32)
    whole[:-1] = np.arange(9 * len(known)).reshape(-1, 9) % 255 - 127
    spelling = Spelling(known, range(len(known)), whole)
    added = [sum(whole[known.index(name)] for name in letters(word) if name in known) for word in words]
    expected = np.array([np.zeros(9) + each for each in added]).reshape(-1, 9)
    for _ in range(2):
        assert spelling.weigh(words).tolist() == expected.tolist()


@given(
    st.lists(
        st.sampled_from(["the", "die", "und", "och", "Über", "n'est", "École", "1,5", "it's", "–", "ÇA\tva"])
        | st.text()
    )
)
def test_votes_of_pieces_add_up_to_those_of_the_text(pieces):
    """Counted in the whole text: common words by list, all words, German and foreign letters or none."""
    text = " ".join(pieces)
    lower = text.lower()
    found = _WORD.findall(lower)
    lists = [set(load("language.toml")[name].split()) for name in ("english", "german", "others", "sure")]
    votes = sum(_votes().all(text.split(" ")))
    counts = [votes >> _BITS * place & _MOST for place in range(7)]
    assert counts[:5] == [*(sum(word in words for word in found) for words in lists), len(found)]
    assert [count > 0 for count in counts[5:]] == [bool(_UMLAUTS & set(lower)), bool(_FOREIGN & set(lower))]


@given(
    st.lists(st.sampled_from([each.name for each in names()]) | st.text(max_size=5), max_size=4), st.text(max_size=2)
)
def test_a_name_is_looked_for_wherever_it_stands(parts, between):
    """Glued to other words too."""
    text = between.join(parts)
    if _regex().search(text):
        assert any(_begins().all(text.split(" ")))


_SLOT = st.sampled_from(["a", "b", "c", "a|b", "a*", "*c", "~2", "(b)", "<end>", "ab"])
_PATTERN = st.builds(lambda first, rest: " ".join((first, *rest)), st.sampled_from(["a", "b", "a*", "*c"]), st.lists(_SLOT, max_size=3))  # fmt: skip


@given(
    st.lists(_PATTERN, min_size=1, max_size=8),
    st.lists(st.sampled_from(["a", "b", "c", "ab", "bc", ".", ","]), min_size=1),
)
def test_of_many_patterns_the_longest_is_found(patterns, words):
    """All as long are named; each is tried at each word to compare."""
    together = Matcher([(pattern, number) for number, pattern in enumerate(patterns)], "here")
    slots = [tuple(_slot(slot, "here") for slot in pattern.split()) for pattern in patterns]
    for index in range(len(words)):
        found = [(_match(each, 0, words, index, ()), number) for number, each in enumerate(slots)]
        places = [each for each, _ in found if each is not None]
        longest = max(places, key=lambda each: (len(each), each[-1]), default=None)
        said = together.at(words, index)
        assert (said and said[0]) == longest
        assert sorted(said[1] if said else ()) == [number for each, number in found if each and each == longest]


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(on):
    """Also where it was off."""
    (gc.enable if on else gc.disable)()
    try:
        score("Nvidia falls")
        assert gc.isenabled() is on
    finally:
        gc.enable()


def test_stored_scores_are_known_by_every_module_that_makes_them(monkeypatch):
    """Of all rooms, so that a changed one finds no stale score."""
    read, plain = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or plain(path))
    _fingerprint.cache_clear()
    assert DEFAULT.key.startswith(DEFAULT.label)
    (room,) = feeds.scoring.__path__
    modules = set(Path(room).rglob("*.py"))
    assert len({path.parent for path in modules}) >= 5
    assert modules <= set(read)
