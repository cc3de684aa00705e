"""The folder of a rule base: which files belong to it, and what each is for.

rulebase.yaml  facts.yaml  decisions/**.yaml  catalogue/**.yaml  cases/**.yaml
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean
from harken_rules.language import Place
from harken_rules.source import MAX_FILE_BYTES, Node, read_source

MAX_FILES = 2_000
MAX_TOTAL_BYTES = 64_000_000
MAX_FOLDERS_DEEP = 8

HEADER = "rulebase.yaml"
FACTS = "facts.yaml"
DECISIONS, CATALOGUE, CASES = "decisions", "catalogue", "cases"
_FOLDERS = (DECISIONS, CATALOGUE, CASES)


@dataclass(slots=True)
class Folder:
    """The files' nodes by what they are for; None stands for a file that could not be read."""

    header: Node | None = None
    facts: Node | None = None
    decisions: dict[str, Node | None] = field(default_factory=dict)
    catalogue: dict[str, Node | None] = field(default_factory=dict)
    cases: dict[str, Node | None] = field(default_factory=dict)


def read_folder(root: Path, report: Report) -> Folder:
    """Read every YAML file under ``root``; whatever cannot be read is reported."""
    folder = Folder()
    budget = MAX_TOTAL_BYTES
    names = list_files(root, report)
    for name in names:
        data = read_bytes(root / name, name, report)
        budget -= len(data or b"")
        if budget < 0:
            message = f"the folder has more than {MAX_TOTAL_BYTES:,} bytes of YAML"
            report.error("too-large", Place(name, 1, 1), message)
            break
        node = None if data is None else read_source(data, name, report)
        _put(folder, name, node, report)
    for wanted in (HEADER, FACTS):
        if wanted not in names:
            place = Place(wanted, 1, 1)
            hint = f"a rule base is a folder with {HEADER}, {FACTS} and decisions/"
            report.error("missing-file", place, f"the rule base has no {wanted}", hint)
    return folder


def _put(folder: Folder, name: str, node: Node | None, report: Report) -> None:
    top, _, rest = name.partition("/")
    if name == HEADER:
        folder.header = node
    elif name == FACTS:
        folder.facts = node
    elif rest and top in _FOLDERS:
        getattr(folder, top)[name] = node
    else:
        where = [HEADER, FACTS] if not rest else [f"{one}/" for one in _FOLDERS]
        message = f"{name} is no part of a rule base and is not read"
        hint = did_you_mean(top if rest else name, where)
        report.warning("stray-file", Place(name, 1, 1), message, hint)


def list_files(root: Path, report: Report) -> list[str]:
    """Names of all YAML files, sorted; hidden ones are left out.

    Links are followed as long as they stay in the folder: what stands elsewhere could change
    without the rule base, and need not be meant for whoever reads the diagnostics.
    """
    found: list[str] = []
    pending = [(root, "")]
    seen: set[Path] = set()
    home = _resolved(root)
    while pending:
        path, prefix = pending.pop()
        try:
            real = path.resolve()
            entries = [] if real in seen else sorted(path.iterdir())
            seen.add(real)
            for entry in entries:
                name = prefix + entry.name
                is_yaml = entry.suffix.lower() in (".yaml", ".yml")
                if entry.name.startswith(".") or not (entry.is_dir() or is_yaml):
                    continue
                if not _printable(name, report) or _leads_out(entry, home, name, report):
                    continue
                if not entry.is_dir():
                    found.append(name)
                elif prefix.count("/") < MAX_FOLDERS_DEEP:
                    pending.append((entry, name + "/"))
        except (OSError, RuntimeError) as error:
            _unreadable(prefix.rstrip("/") or ".", error, report)
        if len(found) > MAX_FILES:
            message = f"the folder has more than {MAX_FILES:,} files"
            report.error("too-large", Place(".", 1, 1), message)
            break
    return sorted(found)[:MAX_FILES]


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link in a circle, which listing it will report
        return path


def _leads_out(entry: Path, home: Path, name: str, report: Report) -> bool:
    if not entry.is_symlink() or not entry.exists() or _resolved(entry).is_relative_to(home):
        return False
    message = f"{name} is a link that leads out of the rule base's folder, and is not followed"
    report.error("outside-folder", Place(name, 1, 1), message, "copy here what it leads to")
    return True


def _printable(name: str, report: Report) -> bool:
    if name.isprintable():
        return True
    message = "a file whose name cannot be shown is not read"
    place = Place(ascii(name), 1, 1)
    report.error("unreadable", place, message, "rename the file")
    return False


def read_bytes(path: Path, name: str, report: Report) -> bytes | None:
    try:
        if not path.exists():
            raise OSError("it is not there any more, or a link that leads nowhere")
        if not path.is_file():
            raise OSError("not a regular file")
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        _unreadable(name, error, report)
        return None


def _unreadable(name: str, error: Exception, report: Report) -> None:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    report.error("unreadable", Place(name, 1, 1), f"cannot be read: {reason}")
