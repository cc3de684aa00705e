"""How long the check of a large rule base takes: 2,000 rules over 60 decisions.

The base is generated as YAML in a temporary folder: decisions of each kind that build on each
other, over facts of each type, by rules of one to four conditions.

python bench/check_bench.py [--rules N] [--decisions N]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harken_rules.loader import read_rule_base

CODES = [f"v{index}" for index in range(8)]
HITS = ("first", "first", "unique", "all", "sum")
GIVEN = 24


def write_base(folder: Path, rules: int = 2000, decisions: int = 60, seed: int = 7) -> Path:
    """A rule base of that size, without errors."""
    rng = random.Random(seed)
    (folder / "decisions").mkdir(parents=True)
    header = "name: large\ntitle: {en: Large}\nlanguages: [en]\n"
    (folder / "rulebase.yaml").write_text(header, encoding="utf-8")
    kinds = {f"given_{index}": ("enum", "number", "boolean")[index % 3] for index in range(GIVEN)}
    facts = [_fact(name, kind, "request") for name, kind in kinds.items()]
    for index in range(decisions):
        name, hit = f"decision_{index}", HITS[index % len(HITS)]
        count = rules // decisions + (index < rules % decisions)
        names = list(kinds)
        asked = rng.sample(names[:GIVEN], 5) + rng.sample(names, 3)
        text = _unique(name, count, kinds, asked) if hit == "unique" else None
        text = text or _random(rng, name, hit, count, kinds, asked)
        (folder / "decisions" / f"{name}.yaml").write_text(text, encoding="utf-8")
        kind = "number" if hit == "sum" else "enum"
        facts.append(_fact(name, kind, name))
        if hit != "all":
            kinds[name] = kind
    (folder / "facts.yaml").write_text("facts:\n" + "".join(facts), encoding="utf-8")
    return folder


def _fact(name: str, kind: str, source: str) -> str:
    lines = [f"  {name}:", f"    type: {kind}", f"    source: {source}", "    title: {en: A fact}"]
    if kind == "enum":
        lines.append("    values: {" + ", ".join(f"{code}: {{en: A}}" for code in CODES) + "}")
    return "\n".join(lines) + "\n"


def _head(name: str, hit: str) -> str:
    otherwise = "otherwise: missing\n" if hit in ("first", "unique") else ""
    return f"decision: {name}\ntitle: {{en: A}}\nhit: {hit}\nresult: {name}\n{otherwise}rules:\n"


def _random(
    rng: random.Random, name: str, hit: str, count: int, kinds: dict[str, str], asked: list[str]
) -> str:
    text = [_head(name, hit)]
    for index in range(count):
        facts = rng.sample(sorted(set(asked)), rng.randint(2, 4))
        when = ", ".join(f"{fact}: {_condition(rng, kinds[fact])}" for fact in facts)
        then = rng.randint(1, 9) if hit == "sum" else rng.choice(CODES)
        text.append(f"  - id: r{index}\n    when: {{{when}}}\n    then: {then}\n")
    return "".join(text)


def _unique(name: str, count: int, kinds: dict[str, str], asked: list[str]) -> str:
    """Bands of one number for each value of one enum: no two of them overlap."""
    number = next(fact for fact in [*asked, "given_1"] if kinds[fact] == "number")
    enum = next(fact for fact in [*asked, "given_0"] if kinds[fact] == "enum")
    text = [_head(name, "unique")]
    for index in range(count):
        code, band = CODES[index % len(CODES)], index // len(CODES)
        when = f"{enum}: {code}, {number}: {{at_least: {10 * band}, below: {10 * band + 10}}}"
        text.append(f"  - id: r{index}\n    when: {{{when}}}\n    then: {CODES[band % 8]}\n")
    return "".join(text)


def _condition(rng: random.Random, kind: str) -> str:
    if kind == "boolean":
        return rng.choice(["true", "false"])
    if kind == "number":
        low = rng.randint(0, 40)
        return rng.choice([f"{{at_least: {low}}}", f"{{at_least: {low}, below: {low + 9}}}"])
    some = ", ".join(rng.sample(CODES, rng.randint(1, 4)))
    return rng.choice([f"[{some}]", f"{{not: [{some}]}}", "{missing: true}"])


def measure(rules: int = 2000, decisions: int = 60) -> dict[str, float]:
    """Seconds of processor time that reading and checking take, how much was found, and seconds
    by the clock that the whole command takes, its comparison of the engine included."""
    with tempfile.TemporaryDirectory() as folder:
        base = write_base(Path(folder) / "base", rules, decisions)
        start = time.process_time()
        loaded = read_rule_base(base)
        taken = time.process_time() - start
        begun = time.perf_counter()
        command = [Path(sys.executable).parent / "harken", "rules", "check", base]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - begun
    if loaded.base is None:
        raise SystemExit(f"the generated base has errors: {loaded.diagnostics[0].message}")
    return {"seconds": taken, "findings": len(loaded.diagnostics), "command_seconds": whole}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=2000)
    parser.add_argument("--decisions", type=int, default=60)
    given = parser.parse_args()
    print(json.dumps(measure(given.rules, given.decisions), indent=2))
