"""A rule base as one page that a person reads: HTML or Markdown, in one language or in several.

rule base ─▶ sections (facts, decisions, catalogues, cases) ─▶ html | markdown
"""

from harken_rules.handbook.book import book_of
from harken_rules.handbook.html import render as as_html
from harken_rules.handbook.markdown import render as as_markdown

__all__ = ["as_html", "as_markdown", "book_of"]
