"""Every row of the benchmark: what it is of, its unit and, where there is one, its bar.

A bar holds for the reference bundle. ``x-shipped`` beside a row ``x`` is the same with the
shipped bundle, without a bar.
"""

from __future__ import annotations

from collections.abc import Mapping

from figures import Row, at_least, at_most

ROWS: Mapping[str, Row] = {
    "machine": Row("cores of the machine; versions in detail", "cores"),
    # unary
    "score-throughput": Row(
        "Score, requests a second at 64 in flight, all cores, ÷ null handler", "×", at_least(0.75)
    ),
    "score-cpu": Row("server CPU a Score ÷ null handler's", "×", at_most(1.30)),
    "score-cpu-varied": Row("the same, no request sent twice (Python clients)", "×"),
    "score-p50": Row("Score, p50 at one in flight, ÷ null handler's", "×", at_most(1.25)),
    "score-per-second": Row("Score at 64 in flight, all cores", "calls/s"),
    "score-cpu-us": Row("server CPU a Score", "µs"),
    "score-p50-us": Row("Score, p50 at one in flight", "µs"),
    "null-per-second": Row("null handler at 64 in flight, all cores", "calls/s"),
    "null-cpu-us": Row("server CPU a call of the null handler", "µs"),
    "null-plain": Row("null handler ÷ grpcio's own server with nothing around it", "×"),
    # core
    "core": Row(
        "in-process core, warm: bytes parsed → answer serialised, median", "µs", at_most(80)
    ),
    "core-repeated": Row("the same for grumbles scored before", "µs"),
    "core-compiled": Row("in-process core as in `core`, model compiled", "µs"),
    # rules
    "rules-hit": Row("rules of a grumble, decisions remembered", "µs", at_most(4)),
    "rules-hit-all": Row("the same with every result of the rule base", "µs"),
    "rules-fresh": Row("rules of a grumble not seen before, memos warm from others", "µs"),
    "rules-miss": Row("rules of a grumble, nothing remembered", "µs", at_most(2000)),
    "rules-column": Row("rules column-wise over 1,000,000 rows, a row", "µs", at_most(0.5)),
    "rules-column-first": Row("the same by an engine that remembers nothing yet", "µs"),
    "rules-size": Row("rules of a remembered grumble: 50 to 5,000 rules", "×", at_most(1.2)),
    "rules-build": Row("shipped rule base compiled", "ms"),
    # batch and streaming
    "batch": Row(
        "BatchScore of 1,000, rows a second per core, ÷ bare Booster.predict", "×", at_least(0.60)
    ),
    "batch-rows": Row("BatchScore of 1,000, rows a second per core", "rows/s"),
    "stream": Row(
        "streaming replay, rows a second per core, ÷ bare Booster.predict", "×", at_least(0.80)
    ),
    "stream-rows": Row("streaming replay, rows a second per core", "rows/s"),
    "stream-command": Row("`harken replay` against a server, whole command", "rows/s"),
    # offline
    "offline": Row(
        "offline replay, all cores, ÷ bare Booster.predict, same threads", "×", at_least(0.90)
    ),
    "offline-rows": Row("`harken replay --offline`, all cores", "rows/s"),
    "offline-start": Row("`harken replay --offline`, seconds before and after the rows", "s"),
    "offline-compiled": Row(
        "offline replay with `compiled`, all cores, ÷ Booster.predict", "×", at_least(2.5)
    ),
    "offline-compiled-rows": Row("`harken replay --offline` with `compiled`, all cores", "rows/s"),
    "offline-memory": Row(
        "memory during an offline replay of 10,000,000 rows", "MiB", at_most(1536)
    ),
    "offline-memory-flat": Row("the same: its last third ÷ its second", "×", at_most(1.1)),
    # transport and peer
    "native": Row("native transport ÷ grpcio, full Score, calls a second", "×", at_least(2.5)),
    "native-per-second": Row("Score over the native transport, 64 in flight", "calls/s"),
    "peer": Row("full Score ÷ MLServer with the model alone, calls a second", "×", at_least(2.5)),
    "peer-per-second": Row("MLServer, model alone, 64 in flight", "calls/s"),
    # explain
    "explain": Row("in-process core: a Score with explain ÷ without", "×"),
    "explain-us": Row("in-process core with explain", "µs"),
    "contributions-us": Row("pred_contrib of one row (Booster.predict, one thread)", "µs"),
    "explain-compiled-us": Row("in-process core with explain, model compiled", "µs"),
    "contributions-compiled-us": Row("contributions of one row, compiled closed form", "µs"),
    # life
    "start": Row("`harken serve` started → first Score answered", "s"),
    "reload": Row("another rule base activated under load → first answer by it", "s"),
    "reload-publish": Row("the same rule base published before that: checked, tried, kept", "s"),
    "reload-p99": Row("p99 at 16 in flight: with the change ÷ without", "×"),
    "memory-worker": Row("memory of a worker after load, resident", "MiB"),
    "memory-worker-own": Row("the same, shared pages counted in parts", "MiB"),
    # growth
    "growth-rows": Row("10× the rows: exponent of an offline replay's cost", "", at_most(1.05)),
    "growth-trees": Row("10× the trees: exponent of a row's cost", "", at_most(1.05)),
    "growth-rules": Row("10× the rules: exponent of a remembered grumble's cost", "", at_most(0.2)),
    # tools
    "rules-check": Row("rule base of 2,000 rules read and checked", "s"),
    "rules-check-command": Row("the same by `harken rules check`", "s"),
    "impact-million": Row("rules impact, a million grumbles", "s"),
    "impact-rows": Row("rules impact", "rows/s"),
    "calibrate-rows": Row("rules calibrate", "rows/s"),
}
