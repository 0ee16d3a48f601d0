"""For mypy: the fields that `tritgrad.option.with_options` gives a class, with their types."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from mypy.nodes import (
    MDEF,
    AssignmentStmt,
    CastExpr,
    EllipsisExpr,
    NameExpr,
    SymbolTableNode,
    TypeInfo,
    Var,
)
from mypy.plugin import ClassDefContext, Plugin, ReportConfigContext
from mypy.types import NoneType, TupleType, Type, UnionType

from tritgrad.host.run.option_list import TRAIN
from tritgrad.option import Option
from tritgrad.units.registry import OPTIONS

__all__ = ["OptionPlugin", "plugin"]


class OptionPlugin(Plugin):
    """Declares them before `dataclass` looks for fields."""

    def get_class_decorator_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        return _declare if fullname == "tritgrad.option.with_options" else None

    def report_config_data(self, ctx: ReportConfigContext) -> Any:
        """What a cache of results depends on."""
        return [f"{option.name}: {option.type}" for option in (*TRAIN, *OPTIONS.values())]


def plugin(version: str) -> type[OptionPlugin]:
    """What mypy asks a plugin for."""
    return OptionPlugin


def _declare(context: ClassDefContext) -> None:
    info = context.cls.info
    real = getattr(import_module(info.module_name), info.name)
    named = context.api.named_type
    _variable(info, "OPTIONS", named("builtins.dict", [
        named("builtins.str"), named("tritgrad.option.Option")]))
    for option in real.OPTIONS.values():
        if option.name in info.names:
            continue
        kind = _type(option, context)
        var = _variable(info, option.name, kind)
        name = NameExpr(option.name)
        name.node, name.kind, name.fullname = var, MDEF, option.name
        field = AssignmentStmt([name], CastExpr(EllipsisExpr(), kind), kind, new_syntax=True)
        field.set_line(context.cls)
        name.set_line(context.cls)
        context.cls.defs.body.append(field)


def _variable(info: TypeInfo, name: str, kind: Type) -> Var:
    var = Var(name, kind)
    var.info, var._fullname, var.is_initialized_in_class = info, f"{info.fullname}.{name}", True
    info.names[name] = SymbolTableNode(MDEF, var)
    return var


def _type(option: Option, context: ClassDefContext) -> Type:
    named = context.api.named_type
    one: Type = named(f"builtins.{option.kind.__name__}")
    if option.count:
        one = TupleType([one] * option.count, named("builtins.tuple", [one]))
    elif option.many:
        one = named("builtins.tuple", [one])
    return UnionType([one, NoneType()]) if option.default is None else one
