"""``harken rules docs``: the whole rule base on a page, in words, escaped."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from harken_rules.commands import register
from harken_rules.handbook import as_html, as_markdown, book_of
from harken_rules.handbook.book import layers
from harken_rules.loader import default_base_path, read_rule_base
from typer.testing import CliRunner, Result

Edit = Callable[[dict[str, tuple[str, str]]], Path]

_VOID = {"meta", "br", "input", "path", "rect"}


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


class Page(HTMLParser):
    """Tags that are closed in order, ids, links within the page, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.outside: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        if found.get("href", "").startswith("#"):
            self.links.append(found["href"][1:])
        self.outside += [v for k, v in found.items() if k in ("src", "href") and v[:1] != "#"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("form", ["html", "markdown"])
@pytest.mark.parametrize("lang", ["both", "zh"])
def test_the_page_of_the_sample(
    form: str, lang: str, sample: Path, golden: Callable[[str, str], None]
) -> None:
    done = harken("rules", "docs", sample, "--format", form, "--lang", lang)
    assert done.exit_code == 0
    ending = {"html": "html", "markdown": "md"}[form]
    golden(f"docs-page-{lang}.{ending}", done.output)


def test_the_shipped_page_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "rules.html"
    assert harken("rules", "docs", default_base_path(), "--out", out).exit_code == 0
    loaded = read_rule_base(default_base_path())
    assert loaded.base is not None
    page = Page(out.read_text("utf-8"))
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.links) <= set(page.ids)
    assert page.outside == [], "nothing is loaded from elsewhere"
    ids, base = set(page.ids), loaded.base
    for decision in base.decisions:
        assert f"decision-{decision.name}" in ids
        for rule in decision.rules:
            assert f"rule-{decision.name}-{rule.id}" in ids
            assert rule.id in page.texts
    assert {f"fact-{name}" for name in base.facts} <= ids
    text = "\n".join(page.texts)
    for entries in base.catalogues.values():
        for code, entry in entries.items():
            assert code in page.texts
            assert all(title in text for title in entry.title.values())
    assert base.digest in page.texts
    markdown = as_markdown(book_of(base, loaded.cases, ("en",)))
    assert all(f"`{rule.id}`" in markdown for one in base.decisions for rule in one.rules)
    links = set(re.findall(r"\]\(#([^)]*)\)", markdown))
    assert links <= set(re.findall(r'<a id="([^"]*)">', markdown))


def test_one_language_has_no_other_and_no_buttons(sample: Path) -> None:
    english = harken("rules", "docs", sample, "--lang", "en").output
    assert not re.search("[\u4e00-\u9fff]", english)
    assert "<input" not in english
    assert '<html lang="en">' in english
    chinese = harken("rules", "docs", sample, "--lang", "zh").output
    assert "抱怨级别" in chinese
    assert "Voices discontent" not in chinese
    both = harken("rules", "docs", sample).output
    assert both.count("<input") == 3


def test_everything_is_escaped(edit: Edit) -> None:
    nasty = """<script>alert("1")</script> & | `x` *y* [z](#w) \\"""
    quoted = json.dumps(nasty)
    root = edit(
        {
            "decisions/severity.yaml": ("en: Open for long", f"en: {quoted}"),
            "facts.yaml": ("en: Gold card", f"en: {quoted}"),
            "decisions/level.yaml": ("en: Level", f"en: {quoted}"),
            "catalogue/strategies.yaml": ("en: Read the bill aloud item by item", f"en: {quoted}"),
            "rulebase.yaml": ("en: A small rule base for tests", f"en: {quoted}"),
        }
    )
    page = harken("rules", "docs", root).output
    assert "<script" not in page
    assert "".join(Page(page).texts).count(nasty) > 5
    markdown = harken("rules", "docs", root, "--format", "markdown", "--lang", "en").output
    assert "<script" not in markdown
    rows = [line for line in markdown.split("\n") if line.startswith("| ")]
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in rows]
    heads = [i for i, line in enumerate(rows) if i + 1 < len(rows) and "---" in rows[i + 1]]
    for start, end in zip(heads, [*heads[1:], len(rows)], strict=True):
        assert len(set(widths[start:end])) == 1, rows[start]


def test_a_language_is_no_markup_either(sample: Path) -> None:
    loaded = read_rule_base(sample)
    assert loaded.base is not None
    odd = dataclasses.replace(loaded.base, languages=("en", "</style>]{}"))
    page = Page(as_html(book_of(odd, (), odd.languages)))
    assert '[lang="\\3c \\2f style\\3e \\5d \\7b \\7d "]' in "".join(page.texts)
    assert "</style>]{}" in page.texts  # on the button


def test_codes_of_any_characters_are_anchors(edit: Edit) -> None:
    root = edit(
        {
            "catalogue/departments.yaml": ("  network:", "  'net & 网 #1':"),
            "catalogue/escalations.yaml": ("network]", "'net & 网 #1']"),
            "decisions/handling.yaml": ("owner: network}", "owner: 'net & 网 #1'}"),
            "cases/levels.yaml": ("owner: network", "owner: 'net & 网 #1'"),
        }
    )
    page = Page(harken("rules", "docs", root).output)
    assert "entry-departments-net.20.26.20网.20.231" in page.ids
    assert set(page.links) <= set(page.ids)


def test_the_drawing_goes_from_left_to_right(sample: Path) -> None:
    base = read_rule_base(sample).base
    assert base is not None
    depth = layers(base.decisions)
    assert depth == {
        "duration_band": 0,
        "severity": 1,
        "level": 2,
        "escalation": 3,
        "handling": 3,
        "strategies": 3,
    }
    page = as_html(book_of(base, (), ("en", "zh")))
    lefts = dict(re.findall(r'<a href="#(decision-\w+)"><rect x="(\d+)"', page))
    assert [name for name, _ in sorted(lefts.items(), key=lambda one: int(one[1]))][:3] == [
        "decision-duration_band",
        "decision-severity",
        "decision-level",
    ]
    assert page.count("<path") == 5


def test_the_page_is_the_same_each_time(sample: Path) -> None:
    assert harken("rules", "docs", sample).output == harken("rules", "docs", sample).output


def test_written_and_said_in_json(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    done = harken("rules", "docs", sample, "--format", "markdown", "--out", out, "--json")
    assert (done.exit_code, json.loads(done.output)["written"]) == (0, str(out))
    assert out.read_text("utf-8").startswith("# A small rule base for tests")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "pdf"), "no format"),
        (("--lang", "fr"), "en, zh, both"),
        (("--out", "nowhere/page.html"), "cannot be written"),
    ],
)
def test_refusals(words: tuple[str, ...], said: str, sample: Path) -> None:
    done = harken("rules", "docs", sample, *words)
    assert (done.exit_code, said in done.output) == (2, True)


def test_a_base_with_errors_has_no_page(edit: Edit, tmp_path: Path) -> None:
    root = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:")})
    out = tmp_path / "page.html"
    done = harken("rules", "docs", root, "--out", out)
    assert (done.exit_code, "vip_teir" in done.output, out.exists()) == (2, True, False)


def test_a_page_that_is_printed_is_no_answer_in_json(sample: Path) -> None:
    done = harken("rules", "docs", sample, "--json")
    assert (done.exit_code, "--out" in json.loads(done.output)["error"]) == (2, True)


def test_a_printed_page_is_utf_8_whatever_the_terminal(sample: Path) -> None:
    words = [Path(sys.executable).with_name("harken"), "rules", "docs", sample]
    done = subprocess.run(
        words, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert "严重程度" in done.stdout.decode("utf-8")


def test_help_teaches() -> None:
    done = harken("rules", "docs", "--help")
    for words in ("harken rules docs my-rules", "--out", "--lang", "--format", "Exit code"):
        assert words in done.output
