"""The log calls in a file."""

from __future__ import annotations

import ast
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from robotmia_logging.scan.arguments import Argument, Names, named, positional
from robotmia_logging.scan.files import SourceFile
from robotmia_logging.scan.loggers import looks_like_logger
from robotmia_logging.scan.methods import LEVEL_FIRST, LEVEL_OF, STRUCTLOG_ONLY
from robotmia_logging.scan.modules import Modules
from robotmia_logging.scan.parsing import source_of
from robotmia_logging.scan.resolver import Resolver
from robotmia_logging.scan.scopes import Binding, Bound, Default, Defined, Imported, Scope
from robotmia_logging.scan.templates import Field, Piece, Template, TemplateReader, filled, merged
from robotmia_logging.scan.values import Class, Function, Instance, Library, Logger, Method

_LOGGING_KEYWORDS = frozenset({"exc_info", "extra", "stack_info", "stacklevel", "msg", "level"})
_TEMPLATE_KEYWORDS = ("msg", "event", "message")


@dataclass(frozen=True, slots=True)
class LogCall:
    """A log call in the code.

    Attributes:
        source: the file.
        line: where it begins.
        column: where in the line, from 1.
        library: whose logger it is; None if that isn't known.
        logger: the logger's name; None if that isn't known.
        expression: the source of what the method is called on.
        method: its name.
        level: the number; None if that isn't known.
        template: the message as written.
        arguments: everything else that says something.
        rendered: what the message is made of, the template filled with its arguments.
    """

    source: SourceFile
    line: int
    column: int
    library: Library | None
    logger: str | None
    expression: str
    method: str
    level: int | None
    template: Template
    arguments: tuple[Argument, ...]
    rendered: tuple[Piece, ...]

    @property
    def place(self) -> str:
        """Where it is, for people and editors."""
        return f"{self.source.shown}:{self.line}"

    @property
    def level_name(self) -> str | int | None:
        """The level's name, or the number of one that has none."""
        return None if self.level is None else _LEVEL_NAMES.get(self.level, self.level)


_LEVEL_NAMES: dict[int, str] = {
    number: logging.getLevelName(number)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
}


@dataclass(frozen=True, slots=True)
class _Target:
    """What is called: a method of a logger that is known or not."""

    logger: Logger | None
    expression: ast.expr
    method: str


@dataclass(frozen=True, slots=True)
class _Forwarder:
    """A function that logs what it is given: a log call in it has a parameter as its template."""

    scope: Scope
    call: ast.Call
    target: _Target


class CallFinder:
    """Finds the log calls of one file: it keeps the file's tree.

    Args:
        modules: the code base.
        resolver: knows what receivers of calls are.
    """

    def __init__(self, modules: Modules, resolver: Resolver) -> None:
        self._modules = modules
        self._resolver = resolver
        self._forwarders: dict[Function, _Forwarder | None] = {}
        self._templates = TemplateReader(resolver)

    def find(self, call: ast.Call, scope: Scope) -> LogCall | None:
        """The log call, if it is one."""
        target = self._target(call, scope)
        if target is not None:
            return self._read(call, target, scope)
        forwarder = self._forwarder(call.func, scope)
        return None if forwarder is None else self._read(_forwarded(call, forwarder), forwarder.target, scope)

    # --- which calls log

    def _target(self, call: ast.Call, scope: Scope) -> _Target | None:
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in LEVEL_OF:
            return self._of_receiver(function, scope)
        if isinstance(function, ast.Call):
            return self._by_getattr(function, scope)
        if not _may_be_method(function, scope):
            return None
        value = self._resolver.value(function, scope)
        return _Target(value.logger, function, value.name) if isinstance(value, Method) else None

    def _of_receiver(self, function: ast.Attribute, scope: Scope) -> _Target | None:
        receiver, method = function.value, function.attr
        found = self._resolver.value(function, scope)
        if isinstance(found, Method):
            is_missing = found.logger.library == "logging" and method in STRUCTLOG_ONLY
            return None if is_missing else _Target(found.logger, receiver, method)
        library = self._own_library(receiver, scope)
        if library is not None:
            return _Target(Logger(library, None), receiver, method)
        return _Target(None, receiver, method) if looks_like_logger(receiver) else None

    def _own_library(self, receiver: ast.expr, scope: Scope) -> Library | None:
        """Whose logger `self` or `super()` is, in a class that derives from one."""
        if isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Name) and receiver.func.id == "super":
            around = scope
            while around.parent is not None and around.kind != "class":
                around = around.parent
            return self._resolver.logger_class(Class(around.source.path, around.qualname))
        value = self._resolver.value(receiver, scope)
        return self._resolver.logger_class(value.of) if isinstance(value, Instance) else None

    def _by_getattr(self, function: ast.Call, scope: Scope) -> _Target | None:
        """`getattr(logger, method)(...)`."""
        is_getattr = isinstance(function.func, ast.Name) and function.func.id == "getattr"
        if not is_getattr or len(function.args) != 2:  # noqa: PLR2004 - object and name
            return None
        receiver = function.args[0]
        value = self._resolver.value(receiver, scope)
        if not isinstance(value, Logger) and not looks_like_logger(receiver):
            return None
        name = self._resolver.text(function.args[1], scope)
        if name is not None and name not in LEVEL_OF:
            return None
        return _Target(value if isinstance(value, Logger) else None, receiver, name or "getattr")

    def _forwarder(self, function: ast.expr, scope: Scope) -> _Forwarder | None:
        """The function or method of the same file that a call is of, if it logs its argument."""
        found = _own_function(function, scope)
        if found is None:
            return None
        if found not in self._forwarders:
            self._forwarders[found] = self._read_forwarder(found)
        return self._forwarders[found]

    def _read_forwarder(self, function: Function) -> _Forwarder | None:
        scope = self._modules.scope_of(function)
        if scope is None:
            return None
        for call in scope.calls:
            target = self._target(call, scope)
            if target is None:
                continue
            arguments = call.args[1 if target.method in LEVEL_FIRST else 0 :]
            if arguments and isinstance(arguments[0], ast.Name) and scope.is_parameter(arguments[0].id):
                return _Forwarder(scope, call, target)
        return None

    # --- what they say

    def _read(self, call: ast.Call, target: _Target, scope: Scope) -> LogCall:
        arguments = list(call.args)
        if arguments and _is_unbound(target.expression, arguments[0], scope):
            del arguments[0]
        level = LEVEL_OF.get(target.method)
        if target.method in LEVEL_FIRST:
            level = self._level(_taken(arguments, call.keywords, ("level",)), scope)
        message = _taken(arguments, call.keywords, _TEMPLATE_KEYWORDS)
        template = self._template(message, scope)
        library = target.logger.library if target.logger is not None else _guessed(target.method, call.keywords)
        is_structlog = library == "structlog"
        by_name = tuple(named(call.keywords, is_structlog=is_structlog, skipped=_said(call, target.method)))
        names = Names(argument.name for argument in by_name if argument.name)
        by_position = tuple(positional(arguments, template.exact, names))
        return LogCall(
            source=scope.source,
            line=call.lineno,
            column=call.col_offset + 1,
            library=library,
            logger=None if target.logger is None else target.logger.name,
            expression=source_of(target.expression),
            method=target.method,
            level=level,
            template=template,
            arguments=by_position + by_name,
            rendered=tuple(merged(filled(template.pieces, arguments))) if arguments else template.pieces,
        )

    def _template(self, message: ast.expr | None, scope: Scope) -> Template:
        if message is None:
            return Template("literal", ("",))
        if isinstance(message, ast.Starred):
            return Template("variable", (Field(source_of(message)),))
        return self._templates.read(message, scope)

    def _level(self, expression: ast.expr | None, scope: Scope) -> int | None:
        value = None if expression is None else self._resolver.value(expression, scope)
        return value if isinstance(value, int) else None


def _may_be_method(function: ast.expr, scope: Scope) -> bool:
    """Whether a function may be a logger's method under another name: bound here, or imported with a level in its name.

    To look all functions up that are called anywhere would take reading most files twice.
    """
    return any(
        isinstance(binding, (Bound, Default))
        or (isinstance(binding, Imported) and not LEVEL_OF.keys().isdisjoint(binding.dotted.split(".")[-1].split("_")))
        for binding in _bindings(function, scope)
    )


def _own_function(function: ast.expr, scope: Scope) -> Function | None:
    bindings = _bindings(function, scope)
    only = bindings[0] if len(bindings) == 1 else None
    return only.value if isinstance(only, Defined) and isinstance(only.value, Function) else None


def _bindings(function: ast.expr, scope: Scope) -> list[Binding]:
    """What a function that is called by its name, or as a method of `self`, is bound to."""
    if isinstance(function, ast.Name):
        owner = scope.of_name(function.id)
        return [] if owner is None else owner.names[function.id]
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        owner = scope.class_of_self(function.value.id)
        return [] if owner is None else owner.attributes.get(function.attr, owner.names.get(function.attr, []))
    return []


def _forwarded(call: ast.Call, forwarder: _Forwarder) -> ast.Call:
    """The log call in a function as if it stood at a call of the function, with what that is given."""
    function = forwarder.scope
    given = function.given(call)
    arguments: list[ast.expr] = []
    for argument in forwarder.call.args:
        arguments += function.given_rest(call) if isinstance(argument, ast.Starred) else [_put(argument, given)]
    keywords: list[ast.keyword] = []
    for keyword in forwarder.call.keywords:
        if keyword.arg is None:
            keywords += [other for other in call.keywords if not function.is_parameter(other.arg or "")]
        else:
            keywords.append(ast.keyword(keyword.arg, _put(keyword.value, given)))
    return ast.copy_location(ast.Call(forwarder.call.func, arguments, keywords), call)


def _put(expression: ast.expr, given: Mapping[str, ast.expr]) -> ast.expr:
    """What stands for an expression: the argument if it is a parameter."""
    return given.get(expression.id, expression) if isinstance(expression, ast.Name) else expression


def _is_unbound(receiver: ast.expr, first: ast.expr, scope: Scope) -> bool:
    """Whether a method of a class is called with the object first: `Logger.info(self, ...)`."""
    name = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
    return name[:1].isupper() and isinstance(first, ast.Name) and scope.class_of_self(first.id) is not None


def _taken(arguments: list[ast.expr], keywords: list[ast.keyword], names: tuple[str, ...]) -> ast.expr | None:
    """The next argument, taken from those by position, or else by one of these names."""
    if arguments:
        return arguments[0] if isinstance(arguments[0], ast.Starred) else arguments.pop(0)
    return next((keyword.value for keyword in keywords if keyword.arg in names), None)


def _said(call: ast.Call, method: str) -> frozenset[str]:
    """The keywords that are the level or the template, where these have no position."""
    first = 1 if method in LEVEL_FIRST else 0
    said = {"level"} if first and not call.args else set()
    if len(call.args) <= first:
        present = {keyword.arg for keyword in call.keywords}
        said |= {next((name for name in _TEMPLATE_KEYWORDS if name in present), "")}
    return frozenset(said)


def _guessed(method: str, keywords: list[ast.keyword]) -> Library | None:
    """Whose logger an unknown one is: only structlog takes other keywords, and has other methods."""
    foreign = any(keyword.arg is not None and keyword.arg not in _LOGGING_KEYWORDS for keyword in keywords)
    return "structlog" if foreign or method in STRUCTLOG_ONLY else None
