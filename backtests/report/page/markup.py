"""Makes HTML of values: whatever is not made by this room is escaped on its way in. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit


class Markup(str):
    """Marks text that is HTML already; everything else is escaped by `cell`."""

    __slots__ = ()


def esc(value: Any) -> str:
    """Escapes a value for text and for quoted attributes."""
    return html.escape(str(value), quote=True)


def cell(value: Any) -> str:
    """Returns a value as HTML: `Markup` as it is, anything else escaped."""
    return str(value) if isinstance(value, Markup) else esc(value)


def safe_url(url: str) -> str:
    """Returns the address when it is plain http or https with a host, else an empty text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    plain = parts.scheme in {"http", "https"} and bool(parts.netloc) and url.isprintable()
    return url.strip() if plain else ""


def link_attributes(url: str) -> str:
    """Writes the attributes of a link that gives nothing away; empty where there is no safe address."""
    safe = safe_url(url)
    return f' href="{esc(safe)}" target="_blank" rel="noopener noreferrer"' if safe else ""


def title_of(title: str, url: str, language: str) -> Markup:
    """Marks up a headline in its own language, linked where its address is safe."""
    text = f'<bdi lang="{esc(language or "en")}">{esc(title)}</bdi>'
    attributes = link_attributes(url)
    return Markup(f"<a{attributes}>{text}</a>" if attributes else text)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], caption: str, *, left: int = 1, wide: int = -1) -> Markup:
    """Draws a table that scrolls inside its own box; the first `left` columns flush left, column `wide` may wrap."""
    classes = ["l" if index < left or index == wide else "n" for index in range(len(head))]
    if 0 <= wide < len(head):
        classes[wide] = "w"
    top = "".join(f'<th scope="col" class="{kind}">{esc(name)}</th>' for name, kind in zip(head, classes, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row" class="{kind}">{cell(value)}</th>'
            if index == 0
            else f'<td class="{kind}">{cell(value)}</td>'
            for index, (value, kind) in enumerate(zip(row, classes, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    return Markup(
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(caption)}"><table>'
        f"<caption>{esc(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def folded(summary: str, *content: str) -> Markup:
    """Folds content away until it is clicked."""
    return Markup(f"<details><summary>{esc(summary)}</summary>{''.join(content)}</details>")


def section(name: str, title: str, lead: str, *content: str) -> Markup:
    """Draws a part of the page, with a heading that can be linked to."""
    intro = f'<p class="lead">{cell(lead)}</p>' if lead else ""
    return Markup(
        f'<section id="{esc(name)}" aria-labelledby="{esc(name)}-h"><h2 id="{esc(name)}-h">{esc(title)}</h2>'
        f"{intro}{''.join(content)}</section>"
    )


def figure(caption: str, *drawings: str) -> Markup:
    """Puts a caption to drawings; one that is drawn twice is shown wide or narrow."""
    return Markup(f"<figure>{''.join(drawings)}<figcaption>{cell(caption)}</figcaption></figure>")


def listing(lines: Iterable[str]) -> Markup:
    """Draws a plain list."""
    return Markup("<ul>" + "".join(f"<li>{cell(line)}</li>" for line in lines) + "</ul>")
