"""Scores headlines by a language model: `--scorer http://127.0.0.1:11434/v1#MODEL`.

    titles ─► answers that are kept (cassette.py) ─► the others asked, one request each (prompt.py, chat.py) ─► scores

An answer that is not what was asked for is asked for once more, then kept, counted and neutral. What is neither English
nor German is not asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from feeds.errors import InputError
from feeds.scorers.answer import AnswerError, as_score
from feeds.scorers.cassette import Answer, Cassette, answer_key, default_path
from feeds.scorers.own_scorer import day
from feeds.scorers.prompt import VERSION, messages, read_answer
from feeds.scorers.score_file import LATE
from feeds.scoring import Score, ScoreInput, Scorer, ScorerSource
from feeds.scoring.text.language import detect

if TYPE_CHECKING:
    from concurrent.futures import Future

    from feeds.scorers.chat import Chat, Reply

SETTINGS: Final = frozenset({"trained_until", "answers", "at_once", "usd_per_million"})
_FILE: Final = "answers.jsonl"  # what a run keeps
_SCORED: Final = frozenset(("en", "de"))


def is_address(name: str) -> bool:
    """Returns whether a name is the address of a language model."""
    return name.startswith(("http://", "https://"))


def load_model(name: str, settings: Mapping[str, str]) -> Scorer:
    """Returns the scorer that asks a model.

    Args:
        name: ADDRESS#MODEL.
        settings: `trained_until`: a day, or unknown; has to be said. `answers`: the file in which answers are kept.
            `at_once`: requests at the same time. `usd_per_million`: prices of a million tokens read and written,
            "0.15,0.60".

    Raises:
        InputError: The address or a setting is none.
    """
    url, _, model = name.partition("#")
    if not model:
        raise InputError(f"--scorer {url}: name the model: {url}#MODEL")
    from feeds.scorers.chat import Chat  # few runs need it

    cassette = Cassette(Path(settings["answers"]) if settings.get("answers") else default_path())
    asking = Asking(Chat(url, model), cassette, at_once=_at_once(settings), prices=_prices(settings))
    return model_scorer(cassette, model, settings, asking=asking, found_by=name)


def load_kept(path: Path, settings: Mapping[str, str]) -> Scorer:
    """Returns the scorer of the answers that a run has kept, which asks nobody."""
    model = settings["model"]
    return model_scorer(Cassette(path), model, settings)


class Asking:
    """Asks a model about titles that nobody has asked about, some at a time, and keeps each answer as it comes.

    Args:
        chat: Who is asked.
        cassette: What is kept.
        at_once: Requests at the same time.
        prices: US dollars for a million tokens read and written, None where nobody said.
        clock: Seconds, for the time left.
    """

    def __init__(
        self, chat: Chat, cassette: Cassette, *, at_once: int = 4, prices: tuple[float, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.chat, self.cassette, self.at_once, self.prices, self.clock = chat, cassette, at_once, prices, clock
        self.tokens = [0, 0]  # read, written
        self.say: Callable[[str], None] = lambda _: None

    def ask(self, titles: Sequence[str]) -> None:
        """Asks about titles; what was answered before a fault is kept.

        Raises:
            InputError: The model cannot be reached, or refuses.
        """
        from concurrent.futures import ThreadPoolExecutor, as_completed

        begun = self.clock()
        with ThreadPoolExecutor(self.at_once) as pool:
            waiting = {pool.submit(self._answered, title): title for title in titles}
            try:
                for done, future in enumerate(as_completed(waiting), 1):
                    self._keep(waiting[future], future)
                    self.say(self._progress(done, len(titles), self.clock() - begun))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _answered(self, title: str) -> list[Reply]:
        """Asks about a title, and once more where the answer cannot be read."""
        replies = [self.chat.ask(messages(title))]
        try:
            read_answer(ScoreInput(title, "", "en"), replies[0].text)
        except AnswerError:
            replies.append(self.chat.ask(messages(title)))
        return replies

    def _keep(self, title: str, future: Future[list[Reply]]) -> None:
        replies = future.result()
        self.tokens[0] += sum(each.tokens_in for each in replies)
        self.tokens[1] += sum(each.tokens_out for each in replies)
        model, last = self.chat.model, replies[-1]
        key = answer_key(VERSION, model, title)
        self.cassette.keep(Answer(key=key, prompt=VERSION, model=model, asked_at=last.asked_at, answer=last.text))

    def _progress(self, done: int, of: int, seconds: float) -> str:
        left = seconds / done * (of - done)
        shown = f"{left / 60:,.0f} min" if left >= 90 else f"{left:.0f} s"
        cost = ""
        if self.prices:
            spent = sum(count * price for count, price in zip(self.tokens, self.prices, strict=True)) / 1e6
            cost = f", {spent:.2f} of about {spent / done * of:.2f} US dollars"
        return f"{self.chat.model}: {done:,} of {of:,} headlines, {shown} left{cost}"


class Reader:
    """Reads scores from kept answers, and has the missing ones asked.

    Args:
        cassette: The answers.
        model: Whose.
        version: Of the prompt.
        asking: Gets what is missing; without, a missing answer is an error.
    """

    def __init__(self, cassette: Cassette, model: str, version: str, asking: Asking | None) -> None:
        self.cassette, self.model, self.version, self.asking = cassette, model, version, asking

    def answer(self, text: ScoreInput) -> Answer | None:
        """Returns the answer to a headline; None where there is none, or it is not asked about."""
        key = answer_key(self.version, self.model, text.title)
        return self.cassette.answers.get(key) if _is_asked(text) else None

    def many(self, texts: Sequence[ScoreInput], _: date | None) -> list[Score]:
        """Scores headlines.

        Raises:
            InputError: An answer is missing, and cannot be had.
        """
        titles = dict.fromkeys(text.title for text in texts if _is_asked(text) and self.answer(text) is None)
        if titles and self.asking is None:
            first = next(iter(titles))[:60]
            raise InputError(f"{self.cassette.path}: holds no answer to {first!r}; ask with --scorer ADDRESS#MODEL")
        if titles and self.asking is not None:
            self.asking.ask(list(titles))
        return [_scored(text, self.answer(text))[0] for text in texts]

    def remark(self, text: ScoreInput) -> str:
        """Says what a result counts of a headline's answer."""
        found = self.answer(text)
        if not _scored(text, found)[1]:
            return f"headlines to which {self.model} gave no answer that can be read: neutral"
        return LATE if found and text.known_at and found.asked_at > text.known_at else ""

    def lines(self, texts: Iterable[ScoreInput]) -> bytes:
        """Returns the answers to these headlines as a file holds them."""
        found = {each.key: each for each in map(self.answer, texts) if each is not None}
        return b"".join(each.line() for each in found.values())


def model_scorer(
    cassette: Cassette, model: str, settings: Mapping[str, str], *, asking: Asking | None = None, found_by: str = ""
) -> Scorer:
    """Returns the scorer of kept answers; `asking` gets those that are missing, without it a missing one is an error.

    Raises:
        InputError: Nobody said until when the model learned.
    """
    until = settings.get("trained_until")
    if until is None:
        raise InputError(
            f"--scorer {model}: until when did it learn? say --trained-until DATE, or unknown where nobody knows"
        )
    reader = Reader(cassette, model, settings.get("prompt", VERSION), asking)
    kept = {"model": model, "prompt": reader.version, "trained_until": until}

    def watch(say: Callable[[str], None]) -> None:
        if asking is not None:
            asking.say = say

    said = {name: value for name, value in settings.items() if name in SETTINGS}
    return Scorer(
        name=model.replace(" ", "_"), version=f"prompt-{reader.version}", many=reader.many, remark=reader.remark,
        score=lambda title, summary, language, as_of: reader.many([ScoreInput(title, summary, language)], as_of)[0],
        source=lambda texts: ScorerSource(kind="answers", file=_FILE, raw=reader.lines(texts), settings=kept),
        trained_until=day(until, f"--scorer {model}"), stored=False, watch=watch, about="a language model",
        found_by=json.dumps({"name": found_by, "settings": said}) if found_by else "",
    )  # fmt: skip


def _is_asked(text: ScoreInput) -> bool:
    return bool(text.title.strip()) and detect(text.title, text.language) in _SCORED


def _scored(text: ScoreInput, answer: Answer | None) -> tuple[Score, bool]:
    """Returns a score, neutral without an answer that can be read, and whether nothing was wrong with the answer."""
    if answer is not None:
        try:
            return read_answer(text, answer.answer), True
        except AnswerError:
            pass
    return as_score(text, {}), answer is None


def _at_once(settings: Mapping[str, str]) -> int:
    text = settings.get("at_once", "4")
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise InputError(f"at_once={text!r}: give how many requests may run at the same time, 1 to 64")
    return int(text)


def _prices(settings: Mapping[str, str]) -> tuple[float, float] | None:
    text = settings.get("usd_per_million")
    if text is None:
        return None
    try:
        read, written = (float(each) for each in text.split(","))
    except ValueError:
        read = written = -1.0
    if not (0 <= read < 1e6 and 0 <= written < 1e6):
        raise InputError(f"usd_per_million={text!r}: give US dollars for a million tokens read and written, 0.15,0.60")
    return read, written
