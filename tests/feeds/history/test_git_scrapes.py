"""Imports: each commit of a feed in a git repository is a sighting of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from pathlib import Path

import pytest

from feeds.errors import FeedError
from feeds.history import git_scrapes
from tests.helpers.captures import RSS, put, utc


class Repository:
    """A git repository whose clock the test sets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: int = 0, **environment: str) -> str:
        """Runs git with its own identity and no configuration of the machine."""
        own = {
            "PATH": os.environ["PATH"], "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x.example", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@x.example", "GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": f"@{at} +0100",
        }  # fmt: skip
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=own | environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, at: int, **contents: bytes | None) -> str:
        """Writes files, removes those that are None, and commits at a moment."""
        put(self.path, **{name: content for name, content in contents.items() if content is not None})
        for name, content in contents.items():
            if content is None:
                (self.path / name.replace("_", ".")).unlink()
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x", at=at)
        return self.git("rev-parse", "HEAD")


T = 1737983400  # 2025-01-27 13:10 UTC


@pytest.fixture
def scraped(tmp_path):
    """Three commits: two feeds and a note, an edit, a deletion with an edit."""
    repository = Repository(tmp_path / "scraped")
    first = repository.commit(T, bbc_xml=b"<1/>", ntv_rss=b"<2/>", note_txt=b"-")
    second = repository.commit(T + 60, bbc_xml=b"<3/>")
    repository.commit(T + 120, bbc_xml=None, ntv_rss=b"<4/>\n\n")
    return repository, first, second


def test_each_commit_of_a_feed_is_a_sighting(scraped):
    """Oldest first, the committer's time, whole bytes; the deletion and the note are none."""
    repository, first, second = scraped
    found = list(git_scrapes.commits(repository.path))
    assert [(capture.feed, capture.body) for capture in found] == [
        ("bbc", b"<1/>"), ("ntv", b"<2/>"), ("bbc", b"<3/>"), ("ntv", b"<4/>\n\n"),
    ]  # fmt: skip
    assert [capture.seen for capture in found][1:3] == [utc(2025, 1, 27, 13, 10), utc(2025, 1, 27, 13, 11)]
    assert [capture.key for capture in found][:3] == [
        f"git:{first}:bbc.xml",
        f"git:{first}:ntv.rss",
        f"git:{second}:bbc.xml",
    ]
    assert {(capture.provenance, capture.rule) for capture in found} == {("import", "time of the commit")}


def test_what_is_done_is_not_read_again(scraped):
    """The next run goes on behind the keys it is given."""
    repository, *_ = scraped
    done = {capture.key for capture in itertools.islice(git_scrapes.commits(repository.path), 3)}
    assert [capture.body for capture in git_scrapes.commits(repository.path, done=done)] == [b"<4/>\n\n"]


def test_names_of_any_kind_and_folders_come_through(tmp_path):
    """Spaces, umlauts, line breaks, capitals; links and submodules are no documents."""
    repository = Repository(tmp_path / "r")
    for name in ("a b.xml", "böse.XML", "line\nbreak.rss", "-n.atom"):
        (repository.path / name).write_bytes(RSS)
    (repository.path / "link.xml").symlink_to("a b.xml")
    repository.commit(T, deep__er__x_atom=RSS)
    found = {capture.url: capture.feed for capture in git_scrapes.commits(repository.path)}
    assert set(found) == {"a b.xml", "böse.XML", "line\nbreak.rss", "-n.atom", "deep/er/x.atom"}
    assert found["deep/er/x.atom"] == "deep/er/x"


def test_too_large_and_impossible_times_are_lost(tmp_path, monkeypatch):
    """With the key and the reason; the rest comes."""
    monkeypatch.setattr(git_scrapes, "MAX_BYTES", 100)
    repository = Repository(tmp_path / "r")
    repository.commit(T, large_xml=b"<" * 101, small_xml=RSS)
    repository.commit(60, early_xml=RSS)
    lost = []
    assert [capture.feed for capture in git_scrapes.commits(repository.path, lost=lost.append)] == ["small"]
    assert [each.reason.split(";")[0] for each in lost] == ["101 bytes are too many", "the commit's time is impossible"]


def test_a_bare_repository_does_and_an_empty_one_is_empty(tmp_path, scraped):
    """What `git clone --bare` makes; no commit, no sighting."""
    repository, *_ = scraped
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    assert len(list(git_scrapes.commits(tmp_path / "bare"))) == 4
    assert list(git_scrapes.commits(Repository(tmp_path / "empty").path)) == []


def test_a_folder_that_is_no_repository_is_refused(tmp_path, scraped):
    """Nor one below a repository, whose history is not what was asked for."""
    repository, *_ = scraped
    put(repository.path, below__x_xml=RSS)
    for folder in (tmp_path, repository.path / "below"):
        assert not git_scrapes.is_repository(folder)
        with pytest.raises(FeedError, match="no git repository"):
            list(git_scrapes.commits(folder))


def test_a_damaged_repository_is_an_error_in_gits_words(scraped):
    """HEAD points nowhere that exists."""
    repository, first, _ = scraped
    (repository.path / ".git" / "objects" / first[:2] / first[2:]).unlink()
    with pytest.raises(FeedError, match="git says"):
        list(git_scrapes.commits(repository.path))


def test_nothing_of_a_strangers_repository_runs(tmp_path, scraped, monkeypatch):
    """Hooks, monitors, pagers, diffs, filters, signatures, aliases, transports: none leaves a trace."""
    repository, first, _ = scraped
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/sprung\n', encoding="utf-8")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor core.pager pager.log core.editor core.sshCommand diff.external diff.t.textconv diff.t.command gpg.program "
        "filter.t.smudge filter.t.process core.askPass credential.helper remote.origin.uploadpack core.gitProxy"
    ).split():
        repository.git("config", key, str(trap))
    for key, value in {
        "alias.log": f"!{trap}", "alias.cat-file": f"!{trap}", "log.showSignature": "true", "core.hooksPath": str(tmp_path),
        "remote.origin.url": f"ext::{trap}", "remote.origin.promisor": "true", "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1", "protocol.allow": "always",
    }.items():  # fmt: skip
        repository.git("config", key, value)
    head = repository.git("cat-file", "commit", "HEAD").replace(
        " +0100\n", " +0100\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n", 1
    )
    (tmp_path / "signed").write_text(head, encoding="utf-8")
    repository.git("update-ref", "HEAD", repository.git("hash-object", "-t", "commit", "-w", str(tmp_path / "signed")))
    (repository.path / ".git" / "info" / "attributes").write_text("* diff=t filter=t\n", encoding="utf-8")
    blob = repository.git("rev-parse", f"{first}:ntv.rss")
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()  # git would fetch it from the trap
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    lost = []
    found = list(git_scrapes.commits(repository.path, lost=lost.append))
    assert [capture.body for capture in found] == [b"<1/>", b"<3/>", b"<4/>\n\n"]
    assert [(each.key, each.reason) for each in lost] == [(f"git:{first}:ntv.rss", "not in this clone")]
    assert not (tmp_path / "sprung").exists()
    with contextlib.suppress(subprocess.CalledProcessError):
        repository.git("cat-file", "-p", blob)
    assert (tmp_path / "sprung").exists()  # the trap is a live one


def test_a_damaged_document_is_lost_alone(scraped):
    """Its bytes break off; those before and after come."""
    repository, first, _ = scraped
    blob = repository.git("rev-parse", f"{first}:ntv.rss")
    path = repository.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-8])
    lost = []
    assert [capture.body for capture in git_scrapes.commits(repository.path, lost=lost.append)] == [
        b"<1/>",
        b"<3/>",
        b"<4/>\n\n",
    ]
    assert [each.key for each in lost] == [f"git:{first}:ntv.rss"]


def test_without_git_the_message_says_what_to_do(scraped, monkeypatch):
    """Install it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FeedError, match="install git"):
        list(git_scrapes.commits(scraped[0].path))


def test_leaving_early_ends_git(scraped):
    """No process stays behind a reader that stops."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("this system does not list children")
    repository, *_ = scraped
    before = set(children.read_text(encoding="ascii").split())
    reading = git_scrapes.commits(repository.path)
    next(reading)
    assert set(children.read_text(encoding="ascii").split()) - before
    reading.close()
    assert set(children.read_text(encoding="ascii").split()) - before == set()
