"""From YAML nodes to the language's values, one module a part of the language.

    folder ─▶ shapes, texts ─▶ catalogues ─▶ facts ─▶ constants, conditions ─▶ decisions

Every reader reports what is wrong and answers None for what it could not read, so that one
reading of a folder finds all of its problems.
"""
