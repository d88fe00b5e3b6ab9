"""Reads an answer of GDELT's article list: JSON that is sometimes broken, titles with spaces where none belong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from feeds import item_fields
from feeds.headline import Headline
from feeds.history import stated_values

BATCH = timedelta(minutes=15)  # GDELT's own step
ROWS = 250  # GDELT lists no more at once

_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_OBJECT = re.compile(r"\{[^{}]{0,20000}\}")
_SPACING = (
    (re.compile(r"\b([A-Z]) ?\. (?=[A-Z] ?\.)"), r"\1."),  # U . S . → U.S .
    (re.compile(r"(?<=\d) \. (?=\d)"), "."),  # 5 . 6 → 5.6
    (re.compile(r"(?<=\w) ' (s|t|re|ve|ll|d|m)\b", re.IGNORECASE), r"'\1"),  # China ' s → China's
    (re.compile(r'" ([^"]{1,300}?) "'), r'"\1"'),
    (re.compile(r" +([,;:!?.%)\]}]+)(?=\s|$)"), r"\1"),
    (re.compile(r"(?<!\S)([(\[{$€£]) +(?=\w)"), r"\1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One row. `seendate` is the start of the batch in which GDELT saw it, in UTC."""

    link: str
    title: str
    domain: str
    language: str  # two letters, "" where the name is unknown
    seendate: datetime

    def headline(self, feed: str) -> Headline:
        """Returns it as a headline, known from the end of its batch on."""
        return Headline(
            id=item_fields.identity(self.link),
            feed=feed,
            source=self.domain,
            title=self.title,
            summary="",
            link=self.link,
            language=self.language,
            published=None,
            seen=self.seendate + BATCH,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer held: `rows` counts all, also what was lost or came twice."""

    articles: tuple[Article, ...]
    lost: tuple[str, ...]
    rows: int


def read(body: bytes) -> Answer:
    """Reads an answer; rows that cannot be read are lost, a link that comes again is dropped.

    Raises:
        ValueError: It is no list of articles; the message is its first line.
    """
    text = body.decode("utf-8", "replace").strip().removeprefix("\ufeff")
    if not text.startswith("{"):
        raise ValueError(" ".join(text.partition("\n")[0].split())[:200])
    found: dict[str, Article] = {}
    lost: list[str] = []
    rows = 0
    for row in _rows(text):
        rows += 1
        made = _article(row)
        if isinstance(made, str):
            lost.append(made)
        else:
            found.setdefault(item_fields.identity(made.link), made)
    return Answer(articles=tuple(found.values()), lost=tuple(lost), rows=rows)


def _rows(text: str) -> Iterator[Any]:
    """Yields what stands in the list; None for an object that is broken beyond repair."""
    try:
        whole = _loads(text)
    except (ValueError, RecursionError):
        # One broken title must not cost the others, which are objects without objects in them.
        for each in _OBJECT.finditer(text):
            try:
                yield _loads(each[0])
            except (ValueError, RecursionError):
                yield None
        return
    listed = whole.get("articles", [])
    if not isinstance(listed, list):
        raise ValueError(text[:200])  # noqa: TRY004 (an answer of the wrong kind, as the others)
    yield from listed


def _loads(text: str) -> Any:
    """Reads JSON; control characters in strings are kept, a backslash that escapes nothing is a backslash."""
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return json.loads(_ESCAPE.sub(lambda each: each[0] if len(each[0]) > 1 else r"\\", text), strict=False)


def _article(row: Any) -> Article | str:
    """Makes an article of a row, or says why not."""
    if not isinstance(row, dict):
        return "a row of broken JSON"
    values = {name: str(row.get(name) or "") for name in ("url", "title", "seendate", "domain", "language")}
    link = item_fields.link(values["url"])
    title = tidy(values["title"])
    if not link or not title:
        return f"a row without {'title' if link else 'address'}: {(values['url'] or values['title'])[:120]}"
    try:
        seendate = datetime.strptime(values["seendate"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return f"seendate {values['seendate'][:40]!r} cannot be read: {link[:120]}"
    return Article(
        link=link,
        title=title,
        domain=values["domain"].strip()[:200],
        language=stated_values.language(values["language"]),
        seendate=seendate,
    )


def tidy(title: str) -> str:
    """Returns a title as its publisher wrote it, as far as GDELT's spaces around punctuation let one say.

    >>> tidy("Nvidia falls 16 . 9 % : China ' s &quot; Sputnik moment &quot; , says U . S . investor")
    'Nvidia falls 16.9%: China\\'s "Sputnik moment", says U.S. investor'
    """
    made = item_fields.plain(title)
    for pattern, instead in _SPACING:
        made = pattern.sub(instead, made)
    return made
