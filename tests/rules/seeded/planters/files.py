"""Files that are missing, misplaced, unreadable or too large."""

from __future__ import annotations

from harken_rules.language import Place

from ..base import Base
from ..planting import Plant, at, pick, plants
from ..spots import every_label, files, rules, tree_of
from ..yaml_tree import Items, Node, Text, node_of


@plants("missing-file")
def left_out(base: Base) -> Plant:
    """A rule base without its header or its facts."""
    name = base.rng.choice(["rulebase.yaml", "facts.yaml"])
    base.absent.add(name)
    return at(Place(name, 1, 1))


@plants("stray-file")
def elsewhere(base: Base) -> Plant:
    """A file in a folder that is not read."""
    folder = base.rng.choice(["decision", "case", "Catalogue", "old/decisions", "catalogues"])
    name = f"{folder}/{base.rng.choice(['level.yaml', 'a b.yml', '级别.YAML'])}"
    base.raw[name] = base.rng.choice([b"decision: level\n", b"cases: []\n", b"x\n"])
    return at(Place(name, 1, 1))


@plants("stray-file")
def at_the_top(base: Base) -> Plant:
    """A file beside the header that is neither header nor facts."""
    name = base.rng.choice(["facts.yml", "fact.yaml", "rulebase.YAML", "notes.yaml", "level.yaml"])
    base.raw[name] = b"# notes\nfacts: {}\n"
    return at(Place(name, 1, 1))


def _new_name(base: Base) -> str:
    folder = base.rng.choice(["decisions", "decisions/more", "catalogue", "cases"])
    return f"{folder}/{base.rng.choice(['lost', 'zz'])}.{base.rng.choice(['yaml', 'yml'])}"


@plants("unreadable")
def link_to_nowhere(base: Base) -> Plant:
    """A link whose target is not there, or that leads to itself."""
    name = _new_name(base)
    base.links[name] = base.rng.choice(["gone.yaml", name.rpartition("/")[2]])
    return at(Place(name, 1, 1))


@plants("unreadable")
def no_regular_file(base: Base) -> Plant:
    """A pipe."""
    name = _new_name(base)
    base.pipes.add(name)
    return at(Place(name, 1, 1))


@plants("unreadable")
def unprintable_name(base: Base) -> Plant:
    """A file whose name cannot be shown."""
    name = f"{base.rng.choice(['decisions', 'cases'])}/bell{chr(7)}.yaml"
    base.raw[name] = b"x: y\n"
    return at(Place(ascii(name), 1, 1))


@plants("outside-folder")
def link_to_a_file(base: Base) -> Plant:
    """A link to a file outside the rule base's folder."""
    name = _new_name(base)
    base.beside["shared.yaml"] = b"cases: []\n"
    base.links[name] = "../" * (name.count("/") + 1) + "shared.yaml"
    return at(Place(name, 1, 1))


@plants("outside-folder")
def link_to_a_folder(base: Base) -> Plant:
    """A link to a folder outside the rule base's folder."""
    folder = base.rng.choice(["decisions", "catalogue", "cases"])
    base.beside["elsewhere/shared.yaml"] = b"cases: []\n"
    base.links[f"{folder}/shared"] = base.rng.choice(["../../elsewhere", "../.."])
    return at(Place(f"{folder}/shared", 1, 1))


@plants("outside-folder")
def cases_elsewhere(base: Base) -> Plant:
    """A link in place of a file, which stands outside."""
    name = pick(base.rng, files(base, "cases/"))
    del base.files[name]
    base.beside["cases.yaml"] = b"cases: []\n"
    base.links[name] = "../" * (name.count("/") + 1) + "cases.yaml"
    return at(Place(name, 1, 1))


@plants("too-large")
def long_text(base: Base) -> Plant:
    """A text of more than 10,000 characters."""
    table = pick(base.rng, every_label(base))
    return at(
        table.put(base.rng.choice(["en", "zh"]), "长" * base.rng.randint(10_001, 12_000)).value
    )


@plants("too-large")
def deep(base: Base) -> Plant:
    """Lists within lists; the forty-first level is one too many."""
    spot = pick(base.rng, rules(base))
    levels = [Items(flow=True)]
    for _ in range(base.rng.randint(40, 60)):
        levels.append(Items([levels[-1]], flow=True))
    spot.tree.put("because", levels[-1])
    inwards: list[Node] = list(reversed(levels))
    return at(inwards[40 - 3])  # a rule stands three levels deep


@plants("too-large")
def many_alternatives(base: Base) -> Plant:
    """More than a thousand alternatives."""
    spot = pick(base.rng, (one for one in rules(base) if one.rule.when))
    name = next(iter(spot.rule.when))
    listed = Items([node_of({name: {"missing": False}}) for _ in range(1001)])
    spot.tree.put("when", {"any": listed})
    return at(listed)


@plants("too-large")
def many_bytes(base: Base) -> Plant:
    """A file of more than four million bytes."""
    name = base.rng.choice(sorted(base.files))
    base.spoil.append(lambda written, _: written.update({name: written[name] + b"#" * 4_000_000}))
    return at(Place(name, 1, 1))


@plants("too-large")
def many_rules(base: Base) -> Plant:
    """More than four thousand rules in a decision."""
    decision = pick(base.rng, base.decisions)
    listed = tree_of(base, decision).items("rules")
    listed += [Text("x") for _ in range(4_001 - len(listed))]
    listed[4_000] = node_of({"id": "too-many", "then": "x"})
    return at(listed[4_000])
