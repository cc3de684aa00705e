"""Rule language, engine and shipped rule base.

A folder of YAML becomes a ``RuleBase`` (``load_rule_base``) or everything that is wrong with it
(``RuleBaseError``, ``check_rule_base``); a ``RuleEngine`` decides by it, on facts in, a
``Verdict`` out.

    Exception
    ├── RuleBaseError   a folder is no sound rule base; ``diagnostics`` says all that is wrong
    ├── FactError       a given fact is not what the rule base declares
    └── EngineError     the engine cannot answer; nothing a caller sends can mend that
"""

from harken_rules.diagnostics import Diagnostic, Severity
from harken_rules.engine import (
    ColumnVerdicts,
    EngineError,
    FactError,
    Fired,
    MemoStats,
    RuleEngine,
    Verdict,
)
from harken_rules.language import (
    Decision,
    Entry,
    Fact,
    FactType,
    Hit,
    Place,
    Rule,
    RuleBase,
)
from harken_rules.loader import (
    RuleBaseError,
    check_rule_base,
    default_base_path,
    load_rule_base,
)

__all__ = [
    "ColumnVerdicts",
    "Decision",
    "Diagnostic",
    "EngineError",
    "Entry",
    "Fact",
    "FactError",
    "FactType",
    "Fired",
    "Hit",
    "MemoStats",
    "Place",
    "Rule",
    "RuleBase",
    "RuleBaseError",
    "RuleEngine",
    "Severity",
    "Verdict",
    "check_rule_base",
    "default_base_path",
    "load_rule_base",
]
