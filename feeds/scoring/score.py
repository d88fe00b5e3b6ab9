"""What a scorer says about a headline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

SPEAKS = 0.05  # a smaller tone or sentiment is none


def sign(value: float) -> int:
    """Returns -1, 0 or 1; 0 below |0.05|."""
    return (value >= SPEAKS) - (value <= -SPEAKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A listed company a headline names."""

    symbol: str
    direction: int  # +1 moves or fares up, -1 down, 0 unsaid
    salience: float  # [0, 1]: 1 = the title's first company, less for later ones and the summary's


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The parts of a score; `features` name what pulled most."""

    language: str  # "en", "de"; any other detected code means: rejected, all parts are zero
    relevance: float  # [0, 1]: is it about AI and its supply chain; 0 below one half
    sentiment: float  # [-1, 1]: -1 undercuts demand for AI compute, chips and power, +1 builds it up
    tone: float  # [-1, 1]: bad or good news for whom it is about
    displacement: float = 0.0  # [-1, 1]: -1 AI takes incumbents' business or jobs, +1 relief from that
    entities: tuple[Entity, ...] = ()
    reaction: bool = False  # mainly reports a price move that has happened or is under way
    cause: bool = False  # names a cause for that move (only meaningful with `reaction`)
    features: tuple[str, ...] = ()  # "disruption:cheap & model", "tone:plunges" …


class ScoreInput(NamedTuple):
    """What is scored."""

    title: str
    summary: str = ""
    language: str = ""  # what the channel says it is written in


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A named, versioned scoring function: (title, summary, declared language, lexicon_as_of) -> Score.

    `many` does the same for many headlines at once, where that is quicker.
    """

    name: str
    version: str
    score: Callable[[str, str, str, date | None], Score]
    trained_until: date | None = None  # no data that its weights were learned from is later; None: nothing is learned
    about: str = ""
    explain: Callable[[str, str, date | None], list[str]] | None = None  # (title, language, lexicon_as_of)
    many: Callable[[Sequence[ScoreInput], date | None], list[Score]] | None = None
    vintages: tuple[Scorer, ...] = ()  # the same scorer trained until earlier days, the earliest first

    def before(self, start: date, lexicon_as_of: date | None = None) -> Scorer:
        """Returns the newest vintage trained only on what was over before an episode's start, and on that day.

        Where none was, the earliest one, whose contamination the result tells; a scorer without vintages is itself.
        """
        day = start if lexicon_as_of is None else min(start, lexicon_as_of + timedelta(days=1))
        over = [each for each in self.vintages if each.trained_until is not None and each.trained_until < day]
        return over[-1] if over else (self.vintages[0] if self.vintages else self)

    def scores(self, texts: Sequence[ScoreInput], as_of: date | None) -> list[Score]:
        """Returns the scores of headlines, in their order."""
        if self.many is not None:
            return self.many(texts, as_of)
        return [self.score(*text, as_of) for text in texts]

    @property
    def label(self) -> str:
        """What results carry: "name version"."""
        return f"{self.name} {self.version}"

    @property
    def key(self) -> str:
        """Name, version and a digest of the words and code behind it: what stored scores are found by."""
        return f"{self.label} {_fingerprint()}"


@cache
def _fingerprint() -> str:
    """Twelve hex digits of this package's files and of the packages it scores with, so that no stale score is found."""
    from importlib.metadata import version  # costs 18 ms, and few runs need it

    digest = sha256()
    for package in ("vaderSentiment", "py3langid"):
        digest.update(f"{package} {version(package)}\n".encode())
    room = Path(__file__).parent
    for path in sorted((*room.glob("*.py"), *room.glob("data/*.*"))):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
