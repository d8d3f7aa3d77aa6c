"""Scans of installed packages, checked against a count of another kind."""

from __future__ import annotations

import functools
import io
import os
import re
import tokenize

import pytest

from robotmia_logging.scan import Root, find_files, package_roots, scan_files

METHODS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"}


@functools.cache
def scanned_package(name):
    """The files of an installed package, or of a folder in it, and the calls there."""
    package, _, inner = name.partition("/")
    roots = [Root(os.path.join(root.path, inner), root.shown_from) for root in package_roots(package)]
    files = list(find_files(roots, pytest.fail))
    return files, list(scan_files(files, pytest.fail))


def tokens_like_calls(text):
    """Lines with the tokens `...logger . info (`: comments, texts and docstrings aren't tokens of that kind."""
    if not re.search(rf"(?i:log|logger|logging)\s*\.\s*(?:{'|'.join(METHODS)})\s*\(", text):  # tokens take their time
        return
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.string.strip()]
    for name, dot, method, bracket in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        is_like = name.type == tokenize.NAME and name.string.lower().endswith(("logger", "log", "logging"))
        if is_like and dot.string == "." and method.string in METHODS and bracket.string == "(":
            yield name.start[0]


@pytest.mark.parametrize("name", ["django/db", "django/utils", "celery", "uvicorn", "gunicorn", "httpx", "apscheduler"])
def test_no_call_is_missed(name):
    """Wherever the tokens look like a log call, one is found."""
    files, calls = scanned_package(name)
    found = {(call.source.path, call.line) for call in calls}
    count = 0
    for file in files:
        with tokenize.open(file.path) as source:
            for line in tokens_like_calls(source.read()):
                count += 1
                assert (file.path, line) in found
    assert count > 0
    assert len(calls) >= count


@pytest.mark.parametrize(
    ("name", "logger", "template"),
    [
        ("celery", "celery.app.trace", "Task %(name)s[%(id)s] succeeded in %(runtime)ss: %(return_value)s"),
        ("celery", "celery.worker.strategy", "Task %(name)s[%(id)s] received"),
        ("httpx", "httpx", 'HTTP Request: %s %s "%s %d %s"'),
        ("apscheduler", "apscheduler.scheduler", 'Added job "%s" to job store "%s"'),
        ("uvicorn", None, '%s - "%s %s HTTP/%s" %d'),
        ("gunicorn", None, "Booting worker with pid: %s"),
        ("django/db", "django.db.backends", "(%.3f) %s; args=%s; alias=%s"),
    ],
)
def test_known_calls(name, logger, template):
    """What these packages are known to log is found, on the logger that they log it to."""
    _, calls = scanned_package(name)
    assert (logger, template) in {(call.logger, call.template.text) for call in calls}


def test_twice_the_same():
    """Two scans find the same, in the same order."""
    again = scanned_package.__wrapped__("uvicorn")[1]
    assert [call.place for call in again] == [call.place for call in scanned_package("uvicorn")[1]]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_package", "no package 'no_such_package' is installed"),
        ("django.db", "'django.db' is no name of a package at the top level"),
        ("", "'' is no name"),
        ("sys", "no source of 'sys'"),
    ],
)
def test_packages_that_there_are_not(name, words):
    """A name that stands for no package with source is an error in words."""
    with pytest.raises(ValueError, match=r"\w") as raised:
        package_roots(name)
    assert words in str(raised.value)
