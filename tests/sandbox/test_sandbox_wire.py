"""The quick way to read JSON and the careful one say the same."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.sandbox.api.refused import Refused
from robotmia_logging.sandbox.api.wire import _from_any_json, _from_ordinary_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_values_are_read_alike(value):
    """Whatever JSON value is sent, both ways read it as it was, integers of any size too."""
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        careful = _from_any_json(raw)
    except Refused:
        with pytest.raises((orjson.JSONDecodeError, Refused)):
            _from_ordinary_json(raw)
    else:
        assert repr(_from_ordinary_json(raw)) == repr(careful)


@given(st.text(alphabet='{}[]",:0123456789.eE+-\\utrlsfan \n\x00\ufeff') | st.binary())
def test_what_the_quick_way_takes_the_careful_one_takes(text):
    """Whatever bytes the quick way takes for JSON, the careful way reads as the same."""
    raw = text if isinstance(text, bytes) else text.encode()
    try:
        value = _from_ordinary_json(raw)
    except (orjson.JSONDecodeError, Refused):
        return
    assert repr(_from_any_json(raw)) == repr(value)
