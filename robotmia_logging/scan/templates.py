"""The template of a log call: what it is made of, in literal text and fields."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Literal

from robotmia_logging.capture.templates import CONVERSION
from robotmia_logging.scan.assignments import assigned_before
from robotmia_logging.scan.parsing import source_of
from robotmia_logging.scan.resolver import Resolver
from robotmia_logging.scan.scopes import Scope
from robotmia_logging.scan.strings import MAX_TEXT

Kind = Literal["literal", "f-string", "concatenation", "%-formatted", "format", "variable"]

_MAX_VARIABLES = 8
_MAX_DIGITS = 5  # no call has so many arguments, and `int` refuses very long numbers
_RENDERS = frozenset({"str", "repr", "ascii"})


@dataclass(frozen=True, slots=True)
class Field:
    """What stands in a text for a value.

    Attributes:
        expression: the value's source.
        form: how it is formatted, as in an f-string: ``"!r"``, ``":.2f"``.
    """

    expression: str
    form: str = ""

    def __str__(self) -> str:
        return f"{{{self.expression}{self.form}}}"


Piece = str | Field


@dataclass(frozen=True, slots=True)
class Template:
    """The template of a log call.

    Attributes:
        kind: how the code makes it.
        pieces: literal texts and fields; a lone field if nothing is known of it.
    """

    kind: Kind
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """As text, fields as in an f-string."""
        return "".join(str(piece) for piece in self.pieces)

    @property
    def exact(self) -> str | None:
        """The text itself if it is known in full."""
        return self.text if self.kind != "variable" and not self.fields else None

    @property
    def fields(self) -> tuple[Field, ...]:
        """What is filled in before the call."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Field))

    @property
    def is_resolved(self) -> bool:
        """Whether a part of the text is known by which the call can be told from others."""
        return self.exact is not None or any(
            isinstance(piece, str) and any(char.isalnum() for char in piece) for piece in self.pieces
        )


class TemplateReader:
    """Takes the templates of log calls apart.

    Args:
        resolver: knows constants.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def read(self, expression: ast.expr, scope: Scope) -> Template:
        """The template that an expression gives."""
        expression, scope = self._behind(expression, scope)
        found = _short(self._pieces(expression, scope))
        if found is None:
            return Template("variable", (Field(source_of(expression)),))
        pieces = tuple(merged(found))
        kind = _kind(expression)
        has_fields = any(isinstance(piece, Field) for piece in pieces)
        if kind == "concatenation" and not has_fields:
            kind = "literal"
        elif has_fields and (kind == "literal" or (kind == "concatenation" and len(pieces) == 1)):
            kind = "variable"
        return Template(kind, pieces)

    def _behind(self, expression: ast.expr, scope: Scope) -> tuple[ast.expr, Scope]:
        """What a variable was assigned, if that is one expression that makes a text."""
        for _ in range(_MAX_VARIABLES):
            if not isinstance(expression, ast.Name):
                break
            bound = _assigned(expression, scope) or self._resolver.only_binding(expression.id, scope)
            if bound is None or not (isinstance(bound[0], ast.Name) or self._makes_text(*bound)):
                break
            expression, scope = bound
        return expression, scope

    def _makes_text(self, expression: ast.expr, scope: Scope) -> bool:
        return any(isinstance(piece, str) for piece in self._pieces(expression, scope))

    def _pieces(self, expression: ast.expr, scope: Scope) -> Iterator[Piece]:
        text = self._resolver.text(expression, scope)
        if text is not None:
            yield text
        elif isinstance(expression, ast.JoinedStr):
            for value in expression.values:
                yield from self._of_joined(value, scope)
        elif isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
            if self._has_text(expression, scope):
                yield from self._pieces(expression.left, scope)
                yield from self._pieces(expression.right, scope)
            else:
                yield Field(source_of(expression))
        elif isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Mod):
            yield from self._percent(expression, scope)
        elif _is_format(expression):
            yield from self._format(expression, scope)
        else:
            yield _field(expression)

    def _has_text(self, expression: ast.expr, scope: Scope) -> bool:
        while isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
            if self._is_textual(expression.right, scope):
                return True
            expression = expression.left
        return self._is_textual(expression, scope)

    def _is_textual(self, expression: ast.expr, scope: Scope) -> bool:
        return _kind(expression) not in {"literal", "concatenation"} or (
            self._resolver.text(expression, scope) is not None
        )

    def _of_joined(self, value: ast.expr, scope: Scope) -> Iterator[Piece]:
        if not isinstance(value, ast.FormattedValue):
            yield from self._pieces(value, scope)
            return
        form = ""
        if value.conversion != -1:
            form += f"!{chr(value.conversion)}"
        if value.format_spec is not None:
            form += ":" + "".join(str(piece) for piece in self._pieces(value.format_spec, scope))
        text = None if form else self._resolver.text(value.value, scope)
        yield Field(source_of(value.value), form) if text is None else text

    def _percent(self, expression: ast.BinOp, scope: Scope) -> Iterator[Piece]:
        text = self._resolver.text(expression.left, scope)
        if text is None:
            yield Field(source_of(expression))
            return
        operand = expression.right
        yield from filled([text], operand.elts if isinstance(operand, ast.Tuple) else [operand])

    def _format(self, expression: ast.expr, scope: Scope) -> Iterator[Piece]:
        if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Attribute):
            return
        text = self._resolver.text(expression.func.value, scope)
        try:
            parsed = None if text is None else list(Formatter().parse(text))
        except ValueError:
            parsed = None
        if parsed is None:
            yield Field(source_of(expression))
            return
        automatic = 0
        for literal, name, spec, conversion in parsed:
            yield literal
            if name is None:
                continue
            first = re.split(r"[.\[]", name, maxsplit=1)[0]
            given = _given(expression, first or str(automatic))
            automatic += not first
            form = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            yield Field(given + name[len(first) :], form)


def _short(pieces: Iterable[Piece]) -> list[Piece] | None:
    """The pieces, unless there is more text in them than counts as known."""
    found: list[Piece] = []
    length = 0
    for piece in pieces:
        length += len(piece) if isinstance(piece, str) else 0
        if length > MAX_TEXT:
            return None
        found.append(piece)
    return found


def _assigned(variable: ast.Name, scope: Scope) -> tuple[ast.expr, Scope] | None:
    function = scope.node
    if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and scope.of_name(variable.id) is scope:
        value = assigned_before(variable.id, variable, function.body)
        return None if value is None else (value, scope)
    return None


def filled(pieces: Iterable[Piece], operands: Sequence[ast.expr]) -> Iterator[Piece]:
    """A %-template with what its conversions are filled with.

    Args:
        pieces: the template.
        operands: the values, or one mapping of them.
    """
    position = 0
    for piece in pieces:
        if isinstance(piece, Field):
            yield piece
            continue
        end = 0
        for conversion in CONVERSION.finditer(piece):
            yield piece[end : conversion.start()]
            end = conversion.end()
            if conversion["kind"] == "%":
                yield "%"
            elif conversion["key"] is not None:
                yield Field(_of_key(conversion["key"], operands))
            else:
                position += [conversion["width"], conversion["precision"]].count("*")
                yield _at(position, operands)
                position += 1
        yield piece[end:]


def _at(position: int, operands: Sequence[ast.expr]) -> Field:
    before = operands[: position + 1]
    if len(before) <= position or any(isinstance(operand, ast.Starred) for operand in before):
        return Field(f"field_{position}")
    return _field(before[position])


def _of_key(key: str, operands: Sequence[ast.expr]) -> str:
    mapping = operands[0] if len(operands) == 1 else None
    if isinstance(mapping, ast.Dict):
        for name, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key:
                return source_of(value)
    return key


def _given(call: ast.Call, name: str) -> str:
    """The source of what `format` is given for a field."""
    if name.isdecimal() and len(name) <= _MAX_DIGITS:
        return _at(int(name), call.args).expression
    return next((source_of(keyword.value) for keyword in call.keywords if keyword.arg == name), name)


def _field(expression: ast.expr) -> Field:
    """A field; the functions that make a text of its value are left out."""
    if (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Name)
        and expression.func.id in _RENDERS
        and len(expression.args) == 1
        and not expression.keywords
    ):
        expression = expression.args[0]
    return Field(source_of(expression))


def _is_format(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Attribute)
        and expression.func.attr == "format"
        and not any(keyword.arg is None for keyword in expression.keywords)
    )


def _kind(expression: ast.expr) -> Kind:
    if isinstance(expression, ast.JoinedStr):
        return "f-string"
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
        return "concatenation"
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Mod):
        return "%-formatted"
    return "format" if _is_format(expression) else "literal"


def merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces, with literal texts that follow one another made one."""
    text = ""
    is_empty = True
    for piece in pieces:
        is_empty = False
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
        text = ""
        yield piece
    if text or is_empty:
        yield text
