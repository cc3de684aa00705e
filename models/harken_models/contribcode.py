"""The inner loop of ``Contributions`` as machine code, made by LLVM in some milliseconds.

In words, for a group's tables and what a row ``passes`` of its pairs:

    for each leaf:
        product = ∏ over its pairs of failed[pair] + passes[pair] * nodes
        for each of its pairs:
            result[features[pair]] += Σ (common[leaf] + passes[pair] * weight[pair]) * product

where nodes, failed, weight, common and product are vectors as long as there are nodes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from llvmlite import ir

from harken_models.contributions import Kernel
from harken_models.treecode import engine_for, object_code

_BYTE, _INDEX, _DOUBLE = ir.IntType(8), ir.IntType(64), ir.DoubleType()
_NAME = "add_up"


@cache
def kernel(nodes: int) -> Kernel:
    """The loop for tables of ``nodes`` columns; takes the addresses of a group's tables in
    order, of ``passes`` (bytes), the number of leaves, and the result's address."""
    module = ir.Module(name=f"contributions{nodes}")
    _write(module, nodes)
    engine = engine_for(object_code(module))
    address = ctypes.c_void_p
    kind = ctypes.CFUNCTYPE(None, *[address] * 7, ctypes.c_int64, address)
    call = kind(engine.get_function_address(_NAME))

    def run(*arguments: int) -> None:
        call(*arguments)

    run.engine = engine  # type: ignore[attr-defined]  # the code lives as long as its engine
    return run


def _write(module: ir.Module, count: int) -> None:
    vector = ir.VectorType(_DOUBLE, count)
    numbers, rows, indices = (kind.as_pointer() for kind in (_DOUBLE, vector, _INDEX))
    kinds = (rows, indices, indices, rows, rows, rows, _BYTE.as_pointer(), _INDEX, numbers)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name=_NAME)
    nodes, starts, features, failed, weight, common, passes, leaves, result = function.args
    code = ir.IRBuilder(function.append_basic_block())

    def at(table: Any, index: Any) -> Any:
        # numpy promises no more than the alignment of a double.
        return code.load(code.gep(table, [index]), align=8)

    def passed(pair: Any) -> Any:
        return code.uitofp(at(passes, pair), _DOUBLE)

    def spread(number: Any) -> Any:
        first = code.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
        return code.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)

    t = at(nodes, _INDEX(0))
    place = code.alloca(vector)
    with _loop(code, _INDEX(0), leaves) as leaf:
        first, end = at(starts, leaf), at(starts, code.add(leaf, _INDEX(1)))
        code.store(ir.Constant(vector, [1.0] * count), place)
        with _loop(code, first, end) as pair:
            factor = code.fadd(at(failed, pair), code.fmul(spread(passed(pair)), t))
            code.store(code.fmul(code.load(place), factor), place)
        product = code.load(place)
        shared = _total(code, code.fmul(at(common, leaf), product), count)
        with _loop(code, first, end) as pair:
            more = _total(code, code.fmul(at(weight, pair), product), count)
            share = code.fadd(shared, code.fmul(passed(pair), more))
            slot = code.gep(result, [at(features, pair)])
            code.store(code.fadd(code.load(slot), share), slot)
    code.ret_void()


@contextmanager
def _loop(code: ir.IRBuilder, first: Any, end: Any) -> Iterator[Any]:
    """The code written inside is run for every index from ``first`` to before ``end``."""
    head, body, after = (code.function.append_basic_block() for _ in range(3))
    before = code.block
    code.branch(head)
    code.position_at_end(head)
    index = code.phi(_INDEX)
    index.add_incoming(first, before)
    code.cbranch(code.icmp_signed("<", index, end), body, after)
    code.position_at_end(body)
    yield index
    index.add_incoming(code.add(index, _INDEX(1)), code.block)
    code.branch(head)
    code.position_at_end(after)


def _total(code: ir.IRBuilder, vector: Any, count: int) -> Any:
    parts = [code.extract_element(vector, ir.IntType(32)(i)) for i in range(count)]
    while len(parts) > 1:
        half = len(parts) // 2
        pairs: Callable[..., Any] = zip
        parts = [code.fadd(a, b) for a, b in pairs(parts[:half], parts[half:])]
    return parts[0]
