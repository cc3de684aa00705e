"""docs/rules/worked-change.md and impact.md are done as they say: edits, commands, what they print.

So are the Chinese pages. The commands that need a running server are only parsed.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from harken_client.main import build_app
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
PAGES = {
    "en": ROOT / "docs" / "rules" / "worked-change.md",
    "zh": ROOT / "docs" / "rules" / "zh" / "worked-change.md",
    "impact": ROOT / "docs" / "rules" / "impact.md",
}
ONLINE = ("publish", "status", "activate", "rollback", "revisions", "shadow", "simulate")
PARSED = {("serve", "--revisions"), ("rules", "calibrate"), *(("rules", name) for name in ONLINE)}
"""Commands that are not run: they need a server, or (calibrate) have no output on some page."""
QUICKER = {"check": ["--sample", "50"], "impact": ["--processes", "1"]}
"""Added to the commands of the page: what it shows is the same."""
SPECS = Path("models") / "specs"
MARK = re.compile(r"# (\S+?\.yaml)(?:(?:, |，)(before|after|修改前|修改后))?$")


@dataclass(frozen=True)
class Block:
    """A fenced block of the page: its language and its text."""

    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The page's fenced blocks, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for language, body in re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", text):
        yield Block(language, body)


def calls(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block, and the lines shown below it."""
    for part in block.text.removeprefix("$ ").split("\n$ "):
        command, _, shown = part.partition("\n")
        yield command.strip(), shown.splitlines()


def stands_in(shown: list[str], printed: str) -> bool:
    """Whether the output is as shown: `...` stands for lines left out, `…` for part of a line."""
    pattern = r"\A"
    for line in shown:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += re.escape(line.rstrip()).replace("…", ".+") + r" *\n"
    return re.search(pattern + r"\s*\Z", printed) is not None


class Reader:
    """Someone who does what the page says, in a folder of their own."""

    def __init__(self, briefly: bool) -> None:
        self.briefly = briefly
        self.app = build_app()
        self.runner = CliRunner()
        self.before = ""

    def follow(self, page: Path) -> None:
        for block in blocks(page):
            if block.language == "json":
                Path("grumble.json").write_text(block.text, encoding="utf-8")
            elif block.language == "yaml":
                self.edit(block.text)
            elif block.language == "console":
                for command, shown in calls(block):
                    self.run(command, shown)

    def edit(self, text: str) -> None:
        first, _, body = text.partition("\n")
        mark = MARK.fullmatch(first)
        assert mark, first
        path, when = Path(mark[1]), mark[2]
        if when is None:
            assert not path.exists()
            path.write_text(body, encoding="utf-8", newline="\n")
        elif when in ("before", "修改前"):
            self.before = body
        else:
            old = path.read_text(encoding="utf-8")
            assert old.count(self.before) == 1, f"{path} does not hold\n{self.before}"
            path.write_text(old.replace(self.before, body), encoding="utf-8", newline="\n")

    def run(self, command: str, shown: list[str]) -> None:
        words = shlex.split(command)
        if words[:2] == ["cp", "-r"]:
            shutil.copytree(words[2], words[3])
            return
        assert words[0] == "harken"
        if (words[1], words[2]) in PARSED and not (words[2] == "calibrate" and shown):
            parse(self.app, words[1:])
            return
        if words[1] == "data" and Path(words[words.index("--out") + 1]).exists():
            return  # the other page has made it
        if self.briefly and words[2] in ("check", "test"):
            return  # in English on both pages; tests/rules/test_docs_zh.py compares the two
        words += QUICKER.get(words[2], [])
        done = self.runner.invoke(self.app, words[1:], env={"COLUMNS": "100"})
        assert done.exception is None or isinstance(done.exception, SystemExit), command
        fails = any(line.startswith(("error[", "FAILED")) for line in shown)
        assert done.exit_code == int(fails), f"{command}\n{done.output}"
        assert not shown or stands_in(shown, done.output), f"{command} printed\n{done.output}"


def parse(app: typer.Typer, words: list[str]) -> None:
    """Read the words as the command would, without running it."""
    command: Any = typer.main.get_command(app)
    rest = [*words]
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context(" ".join(words), rest)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages are followed one after the other; the simulated history is made once."""
    folder = tmp_path_factory.mktemp("worked-change")
    (folder / SPECS).parent.mkdir()
    shutil.copytree(ROOT / SPECS, folder / SPECS)
    (folder / "sample.jsonl").touch()
    return folder


@pytest.mark.parametrize("language", PAGES)
def test_the_page_can_be_followed(
    language: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for name in ("my-rules", "before"):
        shutil.rmtree(name, ignore_errors=True)
    Path("build/impact.html").unlink(missing_ok=True)
    Reader(briefly=language != "en").follow(PAGES[language])
    assert Path("build/impact.html").is_file()


def test_the_chinese_impact_page_shows_what_the_english_one_does() -> None:
    shown = [
        [(each.language, re.sub("^#.*\n", "", each.text)) for each in blocks(page)]
        for page in (PAGES["impact"], ROOT / "docs" / "rules" / "zh" / "impact.md")
    ]
    assert shown[0] == shown[1]


def test_what_is_not_as_shown_is_noticed() -> None:
    printed = "a\n\n12 rules, 1 warning\nsha256:ab\nlast\n"
    assert stands_in(["a", "...", "sha256:…", "last"], printed)
    assert stands_in(["...", "12 rules, 1 warning", "..."], printed)
    assert not stands_in(["...", "12 rules, 2 warnings", "..."], printed)
    assert not stands_in(["a", "...", "sha256:…"], printed)
    assert not stands_in(["sha256:…", "last"], printed)
