"""Finds out what expressions are, by their bindings alone: loggers, their names, constants."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TypeVar

from robotmia_logging.scan.loggers import CLASSES, FACTORIES, FIXED, FIXED_FACTORIES, WRAPPERS
from robotmia_logging.scan.methods import LEVEL_OF, MODULE_FUNCTIONS, SAME_LOGGER
from robotmia_logging.scan.modules import Modules
from robotmia_logging.scan.parsing import parse_expression, source_of
from robotmia_logging.scan.scopes import Annotated, Binding, Bound, Default, Defined, Imported, Scope
from robotmia_logging.scan.strings import MAX_TEXT, text_of
from robotmia_logging.scan.values import (
    ROOT_LOGGER,
    Class,
    External,
    Function,
    Instance,
    Library,
    Logger,
    Method,
    Value,
)

_MAX_NAMES = 50
"""How many names are followed, each bound to the next."""

_MAX_CALLS = 8
"""How deep functions that call functions are followed."""

_MAX_FOLLOWED = 100
"""How many functions are followed for one call, as each may call several."""

_MAX_NUMBER = 2**31
"""Larger numbers are no levels."""

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

_PROPERTIES = frozenset({"property", "cached_property", "classproperty"})
_LEVEL_NUMBERS = {"CRITICAL": 50, "FATAL": 50, "ERROR": 40, "WARNING": 30, "WARN": 30, "INFO": 20, "DEBUG": 10}
_PASSED_ON = frozenset({"typing.cast", "typing_extensions.cast"})


class Resolver:
    """What expressions of a code base are.

    The order of statements isn't followed: a name that is bound several times is known if all of that is the same,
    or if only one of it is a logger.

    Args:
        modules: the code base.
    """

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._under_way: set[tuple[int, object]] = set()
        self._of_modules: dict[tuple[str, str], Value | None] = {}
        self._of_classes: dict[tuple[Class, str], Value | None] = {}
        self._logger_classes: dict[Class, Library | None] = {}
        self._calls = 0
        self._followed = 0

    def value(self, expression: ast.expr, scope: Scope) -> Value | None:
        """What an expression is; None if only the program knows."""
        read = _READERS.get(type(expression))
        value = None if read is None else read(self, expression, scope)
        return None if isinstance(value, str) and len(value) > MAX_TEXT else value

    def text(self, expression: ast.expr, scope: Scope) -> str | None:
        """A text that is known before the program runs."""
        value = self.value(expression, scope)
        return value if isinstance(value, str) else None

    def only_binding(self, name: str, scope: Scope) -> tuple[ast.expr, Scope] | None:
        """The one expression that a variable of a function is bound to, with its scope."""
        owner = scope.of_name(name)
        bindings = [] if owner is None else owner.names[name]
        if owner is None or len(bindings) != 1 or not isinstance(bindings[0], Bound):
            return None
        return bindings[0].expression, bindings[0].scope or owner

    def logger_class(self, of: Class) -> Library | None:
        """Whose loggers a class derives from, if it does."""
        return self._once(self._logger_classes, of, lambda: self._library_of_bases(of))

    def _library_of_bases(self, of: Class) -> Library | None:
        scope = self._modules.scope_of(of)
        if scope is None:
            return None
        for base in scope.bases:
            value = self.value(base, scope.parent or scope)
            library = CLASSES.get(value.dotted) if isinstance(value, External) else None
            if isinstance(value, Class):
                library = self.logger_class(value)
            if library is not None:
                return library
        return None

    # --- names

    def _name(self, expression: ast.Name, scope: Scope) -> Value | None:
        name = expression.id
        owner = scope.of_name(name)
        if owner is None:
            return scope.source.own_name if name == "__name__" else self._starred(name, scope.module())
        self_class = scope.class_of_self(name)
        if self_class is not None:
            return Instance(Class(self_class.source.path, self_class.qualname))
        value = self._once(owner.values, name, lambda: self._bound(owner.names[name], owner))
        if name not in owner.values and owner.kind == "class" and owner.parent is not None:
            return self._name(expression, owner.parent)  # `logger = logger`, of the module around the class
        return value

    def _starred(self, name: str, module: Scope) -> Value | None:
        for origin in module.stars:
            value = self._imported(f"{origin}.{name}", module)
            if value is not None and value != External(f"{origin}.{name}"):
                return value
        return None

    def _bound(self, bindings: Iterable[Binding], owner: Scope) -> Value | None:
        """What a name is that has these bindings. None, the placeholder, doesn't count as one."""
        return _agreed(self._binding(binding, owner) for binding in bindings if not _is_none(binding))

    def _binding(self, binding: Binding, owner: Scope) -> Value | None:
        if isinstance(binding, (Bound, Default)):
            return self.value(binding.expression, binding.scope or owner)
        if isinstance(binding, Imported):
            return self._imported(binding.dotted, owner)
        if isinstance(binding, Annotated):
            return self._annotated(binding.annotation, owner.parent or owner)
        return binding.value if isinstance(binding, Defined) else None

    def _annotated(self, annotation: ast.expr, scope: Scope) -> Value | None:
        """An object of the class that an annotation names, alone or beside None."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = parse_expression(annotation.value) or annotation
        if isinstance(annotation, ast.BinOp):
            annotation = annotation.right if _is_constant_none(annotation.left) else annotation.left
        if isinstance(annotation, ast.Subscript) and source_of(annotation.value).endswith("Optional"):
            annotation = annotation.slice
        named = self.value(annotation, scope)
        library = CLASSES.get(named.dotted) if isinstance(named, External) else None
        if library is not None:
            return Logger(library, None)
        return Instance(named) if isinstance(named, Class) else None

    # --- modules

    def _imported(self, dotted: str, scope: Scope) -> Value | None:
        top, _, rest = dotted.partition(".")
        if self._modules.named(top) is None:
            beside = self._modules.beside(scope.source, top)
            if beside is not None:
                dotted = f"{beside.module}.{rest}" if rest else beside.module
        return self._dotted(dotted)

    def _dotted(self, dotted: str) -> Value | None:
        """What a dotted name stands for: something of the code base, or of others."""
        known = _known(dotted)
        if known is not None:
            return known
        if self._modules.named(dotted) is not None:
            return External(dotted)
        parent, _, name = dotted.rpartition(".")
        file = self._modules.named(parent)
        if file is not None:
            return self._in_module(file.path, name)
        above = self._dotted(parent) if parent else None
        if above is not None and above != External(parent):
            return self._attribute_of(above, name)
        return External(dotted)

    def _in_module(self, path: str, name: str) -> Value | None:
        def look() -> Value | None:
            module = self._modules.load(path)
            return None if module is None else self._name(ast.Name(name, ast.Load()), module.scope)

        return self._once(self._of_modules, (path, name), look)

    # --- attributes

    def _attribute(self, expression: ast.Attribute, scope: Scope) -> Value | None:
        of = self.value(expression.value, scope)
        return None if of is None else self._attribute_of(of, expression.attr)

    def _attribute_of(self, of: Value, name: str) -> Value | None:
        if isinstance(of, External):
            return self._dotted(f"{of.dotted}.{name}")
        if isinstance(of, Logger):
            if name in LEVEL_OF:
                return Method(of, name)
            return of.name if name == "name" else of if name == "logger" else None
        if isinstance(of, Instance):
            return of.of if name == "__class__" else self._attribute_of_class(of.of, name)
        return self._attribute_of_class(of, name) if isinstance(of, Class) else None

    def _attribute_of_class(self, of: Class, name: str) -> Value | None:
        return self._once(self._of_classes, (of, name), lambda: self._look_in_class(of, name))

    def _look_in_class(self, of: Class, name: str) -> Value | None:
        scope = self._modules.scope_of(of)
        if scope is None:
            return None
        bindings = [*scope.names.get(name, ()), *scope.attributes.get(name, ())]
        value = self._bound(bindings, scope) if bindings else None
        if isinstance(value, Function) and self._is_property(value):
            value = self._returned(value, None, scope)
        if value is not None:
            return value
        for base in scope.bases:
            parent = self.value(base, scope.parent or scope)
            value = self._attribute_of_class(parent, name) if isinstance(parent, Class) else None
            if value is not None:
                return value
        return None

    # --- calls

    def _call(self, expression: ast.Call, scope: Scope) -> Value | None:
        if isinstance(expression.func, ast.Attribute):
            derived = self._derived(expression.func, expression, scope)
            if derived is not None:
                return derived
        elif isinstance(expression.func, ast.Name) and expression.func.id in {"type", "super"}:
            of = self.value(expression.args[0], scope) if expression.args else None
            return of.of if isinstance(of, Instance) else None
        function = self.value(expression.func, scope)
        if isinstance(function, External):
            return self._made(function.dotted, expression, scope)
        if isinstance(function, Function):
            return self._returned(function, expression, scope)
        if isinstance(function, Class):
            return self._constructed(function, expression, scope)
        return None

    def _derived(self, method: ast.Attribute, call: ast.Call, scope: Scope) -> Value | None:
        """The logger that a method of another gives."""
        if method.attr in SAME_LOGGER:
            of = self.value(method.value, scope)
            return of if isinstance(of, Logger) else None
        if method.attr == "getChild":
            of = self.value(method.value, scope)
            return _child(of, self._argument(call, 0, scope)) if isinstance(of, Logger) else None
        return None

    def _made(self, dotted: str, call: ast.Call, scope: Scope) -> Value | None:
        """What a function of others gives: a logger, if it is known for that."""
        if dotted in FIXED_FACTORIES:
            return FIXED_FACTORIES[dotted]
        if dotted in _PASSED_ON:
            return self.value(call.args[1], scope) if len(call.args) > 1 else None
        if dotted in WRAPPERS:
            inner = self._argument(call, 0, scope)
            return Logger(WRAPPERS[dotted], inner.name if isinstance(inner, Logger) else None)
        if dotted not in FACTORIES:
            return None
        library = FACTORIES[dotted]
        if not call.args and not any(keyword.arg == "name" for keyword in call.keywords):
            return Logger(library, ROOT_LOGGER if library == "logging" else scope.source.own_name)
        name = self._argument(call, 0, scope)
        if isinstance(name, Logger):
            return name
        if _is_constant_none(call.args[0] if call.args else None):
            return Logger(library, ROOT_LOGGER)
        return Logger(library, (name or ROOT_LOGGER) if isinstance(name, str) else None)

    def _argument(self, call: ast.Call, position: int, scope: Scope) -> Value | None:
        if len(call.args) > position:
            return self.value(call.args[position], scope)
        names = ("name", "logger", "suffix")
        return next((self.value(keyword.value, scope) for keyword in call.keywords if keyword.arg in names), None)

    def _constructed(self, of: Class, call: ast.Call, scope: Scope) -> Value:
        """An object; a logger if its class derives from one, of the name that it is given."""
        library = self.logger_class(of)
        if library is None:
            return Instance(of)
        given = self._argument(call, 0, scope)
        return Logger(library, given.name if isinstance(given, Logger) else given if isinstance(given, str) else None)

    def _returned(self, function: Function, call: ast.Call | None, caller: Scope) -> Value | None:
        """What a function of the code base gives for a call."""
        scope = self._modules.scope_of(function)
        self._followed = self._followed + 1 if self._calls else 0
        if scope is None or not scope.returns or self._calls >= _MAX_CALLS or self._followed > _MAX_FOLLOWED:
            return None
        if call is not None:
            scope = _filled(scope, call, caller)
        self._calls += 1
        try:
            return _agreed(self.value(each, scope) for each in scope.returns if not _is_constant_none(each))
        finally:
            self._calls -= 1

    def _is_property(self, function: Function) -> bool:
        scope = self._modules.scope_of(function)
        node = None if scope is None else scope.node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        return any(source_of(decorator).rpartition(".")[2] in _PROPERTIES for decorator in node.decorator_list)

    # --- the rest

    def _either(self, expression: ast.BoolOp | ast.IfExp, scope: Scope) -> Value | None:
        several = expression.values if isinstance(expression, ast.BoolOp) else [expression.body, expression.orelse]
        return _agreed(self.value(each, scope) for each in several if not _is_constant_none(each))

    def _constant(self, expression: ast.Constant, _scope: Scope) -> Value | None:
        value = expression.value
        if isinstance(value, int) and not isinstance(value, bool):
            return value if value < _MAX_NUMBER else None
        return value if isinstance(value, str) else None

    def _inner(self, expression: ast.NamedExpr | ast.Await, scope: Scope) -> Value | None:
        return self.value(expression.value, scope)

    def _text(self, expression: ast.expr, scope: Scope) -> Value | None:
        return text_of(expression, lambda inner: self.value(inner, scope))

    def _once(self, known: dict[Key, Found], key: Key, look: Callable[[], Found]) -> Found | None:
        """What is known, or else looked up, unless that is under way further out: names may be bound in a circle."""
        if key not in known:
            search = id(known), key
            if search in self._under_way or len(self._under_way) >= _MAX_NAMES:
                return None
            self._under_way.add(search)
            try:
                known[key] = look()
            finally:
                self._under_way.discard(search)
        return known[key]


_READERS: dict[type[ast.expr], Callable[..., Value | None]] = {
    ast.Name: Resolver._name,  # noqa: SLF001 - its own methods, by the type that each reads
    ast.Attribute: Resolver._attribute,  # noqa: SLF001
    ast.Call: Resolver._call,  # noqa: SLF001
    ast.BoolOp: Resolver._either,  # noqa: SLF001
    ast.IfExp: Resolver._either,  # noqa: SLF001
    ast.Constant: Resolver._constant,  # noqa: SLF001
    ast.NamedExpr: Resolver._inner,  # noqa: SLF001
    ast.Await: Resolver._inner,  # noqa: SLF001
    ast.JoinedStr: Resolver._text,  # noqa: SLF001
    ast.BinOp: Resolver._text,  # noqa: SLF001
    ast.Subscript: Resolver._text,  # noqa: SLF001
}


def _known(dotted: str) -> Value | None:
    """What of the libraries themselves is known, whether or not they are scanned."""
    if dotted in FIXED:
        return FIXED[dotted]
    if dotted in FACTORIES or dotted in FIXED_FACTORIES:
        return External(dotted)
    module, _, name = dotted.rpartition(".")
    if module == "logging":
        if name in MODULE_FUNCTIONS:
            return Method(Logger("logging", ROOT_LOGGER), name)
        if name in _LEVEL_NUMBERS:
            return _LEVEL_NUMBERS[name]
    return None


def _agreed(values: Iterable[Value | None]) -> Value | None:
    """One of several: what all of them are, or else the only logger among them."""
    several = set(values)
    if len(several) == 1:
        return several.pop()
    found = {value for value in several if isinstance(value, (Logger, Method))}
    if len(found) > 1:
        named = {value for value in found if isinstance(value, Logger) and value.name is not None}
        libraries = {value.library for value in found if isinstance(value, Logger)}
        if len(named) == 1:
            return named.pop()
        return Logger(libraries.pop(), None) if len(libraries) == 1 else None
    return found.pop() if found else None


def _child(of: Logger, suffix: Value | None) -> Logger:
    if of.name is None or not isinstance(suffix, str):
        return Logger(of.library, None)
    name = suffix if of.name == ROOT_LOGGER else f"{of.name}.{suffix}"
    return Logger(of.library, name if len(name) <= MAX_TEXT else None)


def _is_none(binding: Binding) -> bool:
    return isinstance(binding, (Bound, Default)) and _is_constant_none(binding.expression)


def _is_constant_none(expression: ast.expr | None) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is None


def _filled(function: Scope, call: ast.Call, caller: Scope) -> Scope:
    """A function's scope with the parameters bound to a call's arguments, or else to their defaults."""
    given = {name: Bound(value, caller) for name, value in function.given(call).items()}
    names: dict[str, list[Binding]] = {}
    for name, bindings in function.names.items():
        default = next((binding for binding in bindings if isinstance(binding, Default)), None)
        others = [binding for binding in bindings[1:] if not isinstance(binding, Default)]
        argument = given.get(name, default)
        names[name] = bindings if argument is None else [argument, *others]
    return replace(function, names=names, values={})
