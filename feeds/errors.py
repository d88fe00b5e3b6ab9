"""Defines the errors that a user can cause and fix.

InputError                 anything a user can fix; the command line prints it and exits with 2
├── FeedError          a document that cannot be read
│   └── NoFeedError    a document in which our own reader finds no feed
├── FetchError         an address that cannot be fetched
└── EpisodeError       a broken episode, table of sessions or price file
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 20  # names in a message


class InputError(Exception):
    """Wrong input: one clear line that says what, where and what to do."""


class FeedError(InputError):
    """A document that cannot be read as a feed at all."""

    def __init__(self, feed: str, reason: str) -> None:
        super().__init__(f"{feed}: {reason}")
        self.feed = feed
        self.reason = reason


class NoFeedError(FeedError):
    """A document in which our own reader finds no feed; another reader may find one.

    `kind` says why in a few words that are the same for all such documents.
    """

    def __init__(self, feed: str, reason: str, kind: str) -> None:
        super().__init__(feed, reason)
        self.kind = kind


class FetchError(InputError):
    """An address that cannot be fetched.

    `kind` says why in a word or two ("timeout", "throttled", "refused address" …); `retry_after` is the server's wish
    in seconds, None where it has none; `seconds` is how long it took, without waiting for one's turn.
    """

    def __init__(
        self, url: str, kind: str, detail: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{url}: {kind}" + (f" ({detail})" if detail else ""))
        self.url = url
        self.kind = kind
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.seconds = 0.0


class EpisodeError(InputError):
    """A broken episode: its TOML, prices, sessions, actions or claims."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns the end of a message about an unknown name: a suggestion, or what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"there are: {', '.join(names[:_LISTED])}{more}"
