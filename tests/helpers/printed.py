"""Takes the sentences out of what a run prints: its report for a terminal and its page. Figures in tables are left out."""

from __future__ import annotations

from html.parser import HTMLParser

_SENTENCES = {"p", "li", "figcaption", "caption", "h1", "h2", "h3", "h4", "summary", "label"}
_NOT_OURS = {"td", "th", "bdi", "style", "script", "svg", "option", "pre", "title"}  # figures, headlines, drawings


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.text: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Begins a sentence at each block of text."""
        if tag in _SENTENCES:
            self.end()
        if tag in _SENTENCES | _NOT_OURS:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        """Ends it with the block."""
        if tag in _SENTENCES:
            self.end()
        if tag in self.inside:
            del self.inside[len(self.inside) - 1 - self.inside[::-1].index(tag) :]

    def handle_data(self, data):
        """Collects what a reader sees."""
        if self.inside and not _NOT_OURS.intersection(self.inside):
            self.text.append(data)

    def end(self):
        """Keeps what has been collected."""
        text = " ".join("".join(self.text).split())
        self.found += [text] if text else []
        self.text = []


def of_page(html: str) -> list[str]:
    """Returns the texts of a page, block by block, without tables' cells, drawings and headlines."""
    page = _Page()
    page.feed(html)
    page.end()
    return page.found


def of_terminal(report: str) -> list[str]:
    """Returns the lines of a terminal's report, broken ones joined, without rows of tables (two spaces between cells)."""
    lines: list[str] = []
    for line in report.splitlines():
        if line.startswith("  ") and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return [line.removeprefix("- ") for line in lines if line and "  " not in line]
