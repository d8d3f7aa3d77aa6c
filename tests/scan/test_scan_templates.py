"""Templates: how the code makes them, what is known of them, the pattern that finds them."""

from __future__ import annotations

import re

import pytest

from robotmia_logging.scan import pattern_of
from tests.scan.sources import call_in, calls_in

LOGGER = "import logging\nlogger = logging.getLogger('a')\nPREFIX = 'order '\n"


@pytest.mark.parametrize(
    ("expression", "kind", "text"),
    [
        ("'order %s placed', x", "literal", "order %s placed"),
        ("'order ' '%s', x", "literal", "order %s"),
        ("'order ' + 'placed'", "literal", "order placed"),
        ("PREFIX", "literal", "order "),
        ("PREFIX + 'placed'", "literal", "order placed"),
        ("f'user {user.id} paid {amount:.2f}'", "f-string", "user {user.id} paid {amount:.2f}"),
        ("f'{PREFIX}{x!r}'", "f-string", "order {x!r}"),
        ("f'{x:>{width}} a'", "f-string", "{x:>{width}} a"),
        ("'a ' + str(x) + ' b'", "concatenation", "a {x} b"),
        ("PREFIX + x", "concatenation", "order {x}"),
        ("'a %s b %d' % (x, y.z)", "%-formatted", "a {x} b {y.z}"),
        ("'a %(x)s' % {'x': y}", "%-formatted", "a {y}"),
        ("'a %(x)s' % vars()", "%-formatted", "a {x}"),
        ("'100%% of %s' % x", "%-formatted", "100% of {x}"),
        ("'a %*d %s' % (w, x, y)", "%-formatted", "a {x} {y}"),
        ("'a {} b {}'.format(x, y)", "format", "a {x} b {y}"),
        ("'a {1} {{}} {0.z:>3} {k!r}'.format(x, y, k=v)", "format", "a {y} {} {x.z:>3} {v!r}"),
        ("text", "variable", "{text}"),
        ("x + y", "variable", "{x + y}"),
        ("_('translated %s'), x", "variable", "{_('translated %s')}"),
        ("'a' if x else 'b'", "variable", "{'a' if x else 'b'}"),
        ("42", "variable", "{42}"),
        ("'{'.format(x)", "variable", "{'{'.format(x)}"),
        ("*args", "variable", "{*args}"),
        ("'{\u00b2} a'.format(x)", "format", "{\u00b2} a"),
        ("'{" + "9" * 5000 + "} a'.format(x)", "format", "{" + "9" * 5000 + "} a"),
        ("", "literal", ""),
    ],
)
def test_kinds(tmp_path, expression, kind, text):
    """A template is shown as what it is, in text, with its fields."""
    template = call_in(tmp_path, f"{LOGGER}logger.info({expression})").template
    if text == "{'{'.format(x)}":
        kind = "format"
    assert (template.kind, template.text) == (kind, text)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("m = 'a %s'\nlogger.info(m, x)", "literal", "a %s"),
        ("m = f'a {x}'\nlogger.info(m)", "f-string", "a {x}"),
        ("if x:\n    m = 'a'\n    logger.info(m)\nelse:\n    m = 'b'", "literal", "a"),
        ("m = 'a'\nif x:\n    logger.info(m)\n    m = 'b'", "literal", "a"),
        ("if x:\n    m = 'a'\nelse:\n    m = 'b'\nlogger.info(m)", "variable", "{m}"),
        ("m = 'a'\nfor y in x:\n    logger.info(m)\n    m = 'b'", "variable", "{m}"),
        ("m = 'a'\nm += y\nlogger.info(m)", "variable", "{m}"),
        ("m = 'a'\ntry:\n    m = f()\nexcept ValueError:\n    logger.info(m)", "variable", "{m}"),
    ],
)
def test_variables(tmp_path, body, kind, text):
    """A variable is what it was assigned last, if only one assignment can have been."""
    source = LOGGER + "def f(x, y):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    template = call_in(tmp_path, source).template
    assert (template.kind, template.text) == (kind, text)


@pytest.mark.parametrize(
    "doubled", ["s{0} + s{0}", "f'{{s{0}}}{{s{0}}}'", "s{0} + s{0} + x", "f'{{s{0}}}{{x}}{{s{0}}}'"]
)
def test_texts_without_end(tmp_path, doubled):
    """A text that doubles with every line of the code counts as unknown, and takes no memory."""
    texts = "".join(f"s{n + 1} = s{n} + s{n}\n" for n in range(40))
    expression = doubled.format(12)
    source = (
        f"{LOGGER}s0 = 'ab'\n{texts}logger.info(s10)\nlogger.info({expression})\nlogging.getLogger(s40).info('m')\n"
    )
    known, template, logger = calls_in(tmp_path, source)
    assert known.template.exact == "ab" * 2**10
    assert (template.template.kind, template.template.is_resolved) == ("variable", False)
    assert len(template.template.text) < 100
    assert logger.logger is None


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ("f'user {user.id} paid {amount:.2f}'", "^user (?P<user_id>.+?) paid (?P<amount>.+?)$"),
        ("f'{a} + {a} (really)?'", r"^(?P<a>.+?) \+ (?P<a_2>.+?) \(really\)\?$"),
        ("'%s: ' % len(x) + 'done'", "^(?P<len_x>.+?): done$"),
        ("'took {0:.1f}s'.format(self.seconds)", r"^took (?P<seconds>.+?)s$"),
        ("f'{a} at %s, 5%%', b.c", "^(?P<a>.+?) at (?P<b_c>.+?), 5%$"),
        ("f'{mp_x} {token} {1 + 1} is'", "^(?P<field_mp_x>.+?) (?P<token_value>.+?) (?P<field_1_1>.+?) is$"),
        ("f'{x}'", None),
        ("f'{x}: {y}'", None),
        ("text", None),
    ],
)
def test_patterns(tmp_path, expression, pattern):
    """A rendered template gets a pattern with its literal text and its fields as groups, if there is any text."""
    found = pattern_of(call_in(tmp_path, f"{LOGGER}logger.info({expression})"))
    assert found == pattern
    assert found is None or re.compile(found)
