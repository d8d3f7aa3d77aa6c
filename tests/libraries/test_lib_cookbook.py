"""The cookbook: what users paste can be used."""

from __future__ import annotations

import pytest

from robotmia_logging.capture import compile_rules
from tests.libraries.lib_running import blocks, rules


@pytest.mark.parametrize("heading", blocks())
def test_block_is_a_rules_file(heading):
    """Each block holds rules, all of them accepted."""
    assert len(compile_rules(rules(heading))) == len(rules(heading)) > 0
