"""Trees as machine code: lleaves writes each tree, a loop of ours runs them over the rows.

lleaves turns every tree into a function of branches on constants. Its own loop adds trees up in
blocks, which moves the last bits; ours adds one tree after the other, as LightGBM does, so the
sum has LightGBM's bits. Needs the extra ``compiled``: importing this without it is an
ImportError.
"""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

from harken_models.treetext import ZERO

LAYOUT = 2
"""Changes when the code made here does: older code in a cache is then no longer found."""
_TREES_A_PASS = 34
"""So many trees fit the processor's instruction cache; the rows pass through them in turn."""

_DOUBLE, _INT32, _INT64 = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_MANY, _ONE = "score_many", "score_one"

Many = Callable[[int, int, int], None]
"""Addresses of rows (row by row, float64) and of results, number of rows; without the GIL."""
One = Callable[[bytes], float]
"""A row's float64s as bytes. It keeps the GIL: to give it up for three microseconds would mean
to wait until another thread has had its turn."""


def made_for() -> str:
    """Programs and processor that the code depends on."""
    programs = [f"{name} {version(name)}" for name in ("lleaves", "llvmlite")]
    return "; ".join([f"layout {LAYOUT}", *programs, *_processor()])


def generate(text: str) -> bytes:
    """Object code of a model in LightGBM's text format; takes tens of seconds and some 150 MB.

    lleaves says by an exception of any kind what it does not know.
    """
    from lleaves.compiler.ast import parse_to_ast
    from lleaves.compiler.codegen import gen_forest

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.txt"
        # lleaves reads it in the locale's encoding; only names, which it skips, are not ASCII.
        file.write_text(text, encoding="ascii", errors="replace")
        forest = parse_to_ast(str(file))
    forest.raw_score = True
    module = ir.Module(name="trees")
    gen_forest(forest, module, max(len(forest.trees), 1), "unused", True)
    module.get_global("unused").linkage = "internal"
    _add_loop(module, forest)
    return object_code(module)


def object_code(module: ir.Module) -> bytes:
    """Optimised for the processor here; a function called once is inlined."""
    target = machine()
    module.triple = target.triple
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    builder = llvm.PassManagerBuilder()
    builder.opt_level = 3
    builder.inlining_threshold = 1  # whatever the value, functions are inlined if it is set
    passes = llvm.ModulePassManager()
    builder.populate(passes)
    passes.run(parsed)
    return bytes(target.emit_object(parsed))


class Linked:
    """Object code ready to run, as long as this object lives."""

    def __init__(self, code: bytes) -> None:
        engine = engine_for(code)
        many, one = (engine.get_function_address(name) for name in (_MANY, _ONE))
        if not many or not one:
            raise ValueError("the object code lacks a function")
        self._engine = engine
        address = ctypes.c_void_p
        self.many: Many = ctypes.CFUNCTYPE(None, address, address, ctypes.c_int64)(many)
        self.one: One = ctypes.PYFUNCTYPE(ctypes.c_double, ctypes.c_char_p)(one)


def engine_for(code: bytes) -> Any:
    """Object code in memory; its functions live as long as the engine."""
    # Its own memory manager puts all sections side by side, where the small code model must
    # find them.
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine(), use_lmm=True)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def _add_loop(module: ir.Module, forest: Any) -> None:
    """Add ``score_many(rows, results, count)`` and ``score_one(row)`` to lleaves' trees."""
    pointer = _DOUBLE.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), (pointer, pointer, _INT64))
    many = ir.Function(module, kind, name=_MANY)
    rows, results, count = many.args
    code = ir.IRBuilder(many.append_basic_block())
    for first in range(0, len(forest.trees), _TREES_A_PASS):
        before = code.block
        head, body, end = (many.append_basic_block() for _ in range(3))
        code.branch(head)
        code.position_at_end(head)
        at = code.phi(_INT64)
        at.add_incoming(_INT64(0), before)
        code.cbranch(code.icmp_signed("<", at, count), body, end)
        code.position_at_end(body)
        values = _values(code, code.gep(rows, [code.mul(at, _INT64(forest.n_args))]), forest)
        result = code.gep(results, [at])
        total = code.load(result) if first else _DOUBLE(0.0)
        for tree in forest.trees[first : first + _TREES_A_PASS]:
            total = code.fadd(total, code.call(module.get_global(str(tree)), values))
        code.store(total, result)
        at.add_incoming(code.add(at, _INT64(1)), body)
        code.branch(head)
        code.position_at_end(end)
    code.ret_void()
    one = ir.Function(module, ir.FunctionType(_DOUBLE, (pointer,)), name=_ONE)
    code = ir.IRBuilder(one.append_basic_block())
    result = code.alloca(_DOUBLE)
    code.store(_DOUBLE(0.0), result)
    code.call(many, [one.args[0], result, _INT64(1)])
    code.ret(code.load(result))


def _values(code: ir.IRBuilder, row: Any, forest: Any) -> list[Any]:
    """A row as lleaves' trees take it: categories as integers, a missing one as the smallest."""
    values = []
    absolute = code.module.declare_intrinsic("llvm.fabs", (_DOUBLE,))
    for position, feature in enumerate(forest.features):
        value = code.load(code.gep(row, [_INT64(position)]))
        if feature.is_categorical:
            missing = code.fcmp_unordered("uno", value, _DOUBLE(0.0))
            value = code.select(missing, _INT32(-(2**31)), code.fptosi(value, _INT32))
        else:  # LightGBM takes the smallest numbers for zero before it asks any node
            size = code.call(absolute, [value])
            value = code.select(code.fcmp_unordered(">", size, _DOUBLE(ZERO)), value, _DOUBLE(0.0))
        values.append(value)
    return values


def _processor() -> tuple[str, str, str]:
    llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    try:
        features = llvm.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM cannot tell on every system
        features = ""
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), features


def machine() -> Any:
    """The processor here, as LLVM's target."""
    triple, processor, features = _processor()
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(
        cpu=processor, features=features, opt=3, reloc="pic", codemodel="small"
    )
