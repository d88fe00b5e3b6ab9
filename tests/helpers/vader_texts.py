"""Texts to compare our VADER with the package's: made-up sentences full of what it treats specially, and fuzz."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

from feeds.scoring import vader

TURNS = (
    "not never without doubt so this least at very kind of sort just enough the shit bomb bad ass badass bus stop yeah right "
    "kiss death to die for beating heart but BUT no nor or don't isn't can't neither rarely extremely barely slightly more less "
    "Nvidia shares falls the market a of in on"
).split()  # fmt: skip
MARKS = ("", "", "", "", "!", "!!", "!!!!!", "?", "??", "????", ".", ",", "...", "'", ":)", "\u2019s", "-")
CASES = (str, str, str, str.upper, str.title, str.swapcase)
SPACES = (" ", " ", " ", "  ", "\n", "\t", "\u00a0", "")
ODD = "".join(map(chr, (0, 7, 0x1C, 0x85, 0xAD, 0x130, 0xDF, 0x200B, 0x202E, 0x5D0, 0x627, 0x65E5, 0x1F1E9, 0xFE0F)))


def texts(count: int, seed: int) -> Iterator[str]:
    """Makes texts: words of the list, turns of phrase, emojis, capitals, punctuation; every fifth is mere characters."""
    chance = random.Random(seed)
    listed = sorted(vader.package_words())
    emojis = sorted(vader._analyzer().emojis)
    letters = string.printable + ODD + "".join(emoji for emoji in emojis if len(emoji) == 1)
    for number in range(count):
        if number % 5 == 4:
            yield "".join(chance.choices(letters, k=chance.randrange(60)))
            continue
        parts = []
        for _ in range(chance.randrange(14)):
            words = chance.choices((listed, TURNS, emojis), (4, 6, 1))[0]
            parts += [chance.choice(CASES)(chance.choice(words)), chance.choice(MARKS), chance.choice(SPACES)]
        yield "".join(parts)
