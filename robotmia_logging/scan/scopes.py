"""Which names a file binds, where, to what; and the calls in it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from robotmia_logging.scan.files import SourceFile
from robotmia_logging.scan.values import Class, Function, Value

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Bound:
    """Bound to an expression, to be read in a scope; in the one that binds the name if that is None."""

    expression: ast.expr
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """Bound to a module or something in it, by the dotted name."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Annotated:
    """A parameter that is told to be something."""

    annotation: ast.expr


@dataclass(frozen=True, slots=True)
class Defined:
    """Bound to a class or function of this file."""

    value: Value


@dataclass(frozen=True, slots=True)
class Default:
    """A parameter that is this if a call doesn't give it."""

    expression: ast.expr
    scope: Scope


class Unknown:
    """Bound to something that only the program knows."""


UNKNOWN = Unknown()
Binding = Bound | Imported | Annotated | Default | Defined | Unknown


@dataclass(slots=True, eq=False)
class Scope:
    """Names of a module, class or function, and what each is bound to.

    Attributes:
        kind: what it belongs to.
        parent: the scope around it.
        source: the file.
        qualname: its name in the file.
        names: the names bound in it.
        attributes: of a class: what its methods bind on `self` or `cls`.
        bases: of a class: its base classes.
        node: of a function: itself.
        returns: of a function: what it returns.
        calls: those in it, without those of functions in it.
        stars: of a module: modules that all names are imported from.
        values: what names were found to be, by the resolver.
    """

    kind: Literal["module", "class", "function"]
    parent: Scope | None
    source: SourceFile
    qualname: str = ""
    names: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    bases: list[ast.expr] = field(default_factory=list)
    node: FunctionNode | None = None
    returns: list[ast.expr] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    outer_names: dict[str, Scope] = field(default_factory=dict)
    values: dict[str, Value | None] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        """Another binding of a name."""
        scope = self.outer_names.get(name)
        if scope is None:
            self.names.setdefault(name, []).append(binding)
        else:
            scope.bind(name, Bound(binding.expression, self) if isinstance(binding, Bound) else binding)

    def module(self) -> Scope:
        """The scope of the whole file."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def of_name(self, name: str) -> Scope | None:
        """The scope that a name read here belongs to; names of classes aren't seen from their methods."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or scope.kind != "class"):
                return scope
            scope = scope.parent
        return None

    def is_parameter(self, name: str) -> bool:
        """Of a function: whether a name is a parameter of it."""
        if self.node is None:
            return False
        arguments = self.node.args
        return any(each.arg == name for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))

    def given(self, call: ast.Call) -> dict[str, ast.expr]:
        """Of a function: its parameters, as far as a call gives them one by one."""
        if self.node is None:
            return {}
        arguments = self.node.args
        parameters = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
        is_method = self.parent is not None and self.parent.kind == "class"
        given = dict(zip(parameters[is_method:], _plain_arguments(call), strict=False))
        given.update({keyword.arg: keyword.value for keyword in call.keywords if keyword.arg})
        return given

    def given_rest(self, call: ast.Call) -> list[ast.expr]:
        """Of a function: what a call gives beyond the parameters by position, for `*args`."""
        if self.node is None:
            return []
        arguments = self.node.args
        is_method = self.parent is not None and self.parent.kind == "class"
        return call.args[len(arguments.posonlyargs) + len(arguments.args) - is_method :]

    def class_of_self(self, name: str) -> Scope | None:
        """The class whose object or class a name is: the first parameter of its methods."""
        scope = self.of_name(name)
        if scope is None or scope.kind != "function" or scope.parent is None or scope.parent.kind != "class":
            return None
        parameters = [] if scope.node is None else [*scope.node.args.posonlyargs, *scope.node.args.args]
        return scope.parent if parameters and parameters[0].arg == name else None


def _plain_arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Those by position, up to one with a star."""
    return itertools.takewhile(lambda argument: not isinstance(argument, ast.Starred), call.args)


@dataclass(slots=True, eq=False)
class Module:
    """A parsed file.

    Attributes:
        scope: its own names.
        calls: every call in it, with the scope that it is in.
        functions: by their names in the file.
        classes: by their names in the file.
    """

    scope: Scope
    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)
    functions: dict[str, Scope] = field(default_factory=dict)
    classes: dict[str, Scope] = field(default_factory=dict)


def read_module(tree: ast.Module, source: SourceFile) -> Module:
    """Walk a tree once. Without recursion, for trees of others may be deep."""
    scope = Scope("module", None, source)
    module = Module(scope)
    waiting: list[tuple[ast.AST, Scope]] = [(statement, scope) for statement in reversed(tree.body)]
    while waiting:
        node, scope = waiting.pop()
        waiting += reversed(list(_enter(node, scope, module)))
    return module


def _enter(node: ast.AST, scope: Scope, module: Module) -> Iterator[tuple[ast.AST, Scope]]:
    """Note what a node binds; its children, each with the scope that it is in."""
    if isinstance(node, ast.Call):
        module.calls.append((node, scope))
        scope.calls.append(node)
    elif isinstance(node, _FUNCTIONS):
        yield from _enter_function(node, scope, module)
        return
    elif isinstance(node, ast.ClassDef):
        yield from _enter_class(node, scope, module)
        return
    elif isinstance(node, _COMPREHENSIONS):
        inner = Scope("function", scope, scope.source, scope.qualname)
        yield from ((child, inner) for child in _children(node))
        return
    else:
        _note(node, scope)
    yield from ((child, scope) for child in _children(node))


_NO_CHILDREN = (ast.Constant, ast.Name, ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST) and not isinstance(item, _NO_CHILDREN))
        elif isinstance(value, ast.AST) and not isinstance(value, _NO_CHILDREN):
            yield value


def _note(node: ast.AST, scope: Scope) -> None:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            _assign(target, node.value, scope)
    elif isinstance(node, ast.AnnAssign):
        _annotate(node, scope)
    elif isinstance(node, ast.NamedExpr):
        _assign(node.target, node.value, scope)
    elif isinstance(node, ast.Return):
        scope.returns += [node.value] if node.value else []
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        _import(node, scope)
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        _declare(node, scope)
    else:
        for name in _bound_anyhow(node):
            scope.bind(name, UNKNOWN)


def _bound_anyhow(node: ast.AST) -> Iterator[str]:
    """Names bound by other means than `=` and `import`."""
    if isinstance(node, (ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension)):
        yield from _names_in(node.target)
    elif isinstance(node, ast.withitem):
        yield from () if node.optional_vars is None else _names_in(node.optional_vars)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        yield from (node.name,) if node.name else ()
    elif isinstance(node, ast.MatchMapping):
        yield from (node.rest,) if node.rest else ()


def _names_in(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Starred):
        yield from _names_in(target.value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _names_in(element)


def _assign(target: ast.expr, value: ast.expr, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, Bound(value))
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        owner = scope.class_of_self(target.value.id)
        if owner is not None:
            owner.attributes.setdefault(target.attr, []).append(Bound(value, scope))
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(target, value, scope)


def _unpack(target: ast.Tuple | ast.List, value: ast.expr, scope: Scope) -> None:
    items = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
    if len(items) == len(target.elts) and not any(isinstance(each, ast.Starred) for each in [*target.elts, *items]):
        for element, item in zip(target.elts, items, strict=True):
            _assign(element, item, scope)
    else:
        for name in _names_in(target):
            scope.bind(name, UNKNOWN)


def _annotate(node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        _assign(node.target, node.value, scope)
    elif isinstance(node.target, ast.Name) and scope.kind == "class":
        scope.attributes.setdefault(node.target.id, []).append(Annotated(node.annotation))


def _import(node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            scope.bind(alias.asname or top, Imported(alias.name if alias.asname else top))
        return
    origin = _origin(node, scope.source)
    for alias in node.names:
        if alias.name == "*":
            scope.module().stars.append(origin)
        else:
            scope.bind(alias.asname or alias.name, Imported(f"{origin}.{alias.name}"))


def _origin(node: ast.ImportFrom, source: SourceFile) -> str:
    """The module that names are imported from, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = source.package.split(".")
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _declare(node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
    for name in node.names:
        outer = scope.module() if isinstance(node, ast.Global) or scope.parent is None else scope.parent.of_name(name)
        if outer is not None and outer is not scope:
            scope.outer_names[name] = outer


def _enter_function(node: FunctionNode, scope: Scope, module: Module) -> Iterator[tuple[ast.AST, Scope]]:
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    qualname = f"{scope.qualname}.{name}" if scope.qualname else name
    inner = Scope("function", scope, scope.source, qualname, node=node)
    if isinstance(node, ast.Lambda):
        inner.returns.append(node.body)
    else:
        module.functions[qualname] = inner
        scope.bind(name, Defined(Function(scope.source.path, qualname)))
        yield from ((decorator, scope) for decorator in node.decorator_list)
    arguments = node.args
    for parameter in (
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ):
        if parameter is not None:
            inner.bind(parameter.arg, Annotated(parameter.annotation) if parameter.annotation else UNKNOWN)
    for parameter, default in _defaults(arguments):
        inner.bind(parameter.arg, Default(default, scope))
        yield default, scope
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    yield from ((statement, inner) for statement in body)


def _defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    by_position = [*arguments.posonlyargs, *arguments.args]
    yield from zip(by_position[len(by_position) - len(arguments.defaults) :], arguments.defaults, strict=True)
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield parameter, default


def _enter_class(node: ast.ClassDef, scope: Scope, module: Module) -> Iterator[tuple[ast.AST, Scope]]:
    qualname = f"{scope.qualname}.{node.name}" if scope.qualname else node.name
    inner = Scope("class", scope, scope.source, qualname, bases=list(node.bases))
    module.classes[qualname] = inner
    scope.bind(node.name, Defined(Class(scope.source.path, qualname)))
    around = (*node.decorator_list, *node.bases, *node.keywords)
    yield from ((child, scope) for child in around)
    yield from ((statement, inner) for statement in node.body)
