"""Which files are scanned, what their modules are called, and what becomes of those that can't be read."""

from __future__ import annotations

import gc
import itertools
import os
import warnings

import pytest

from robotmia_logging.scan import Root, find_files, scan_files
from robotmia_logging.scan import parsing as parsing_module
from robotmia_logging.scan.modules import _KEPT, Modules
from robotmia_logging.scan.scopes import Scope
from tests.scan.sources import scanned, written

LOGS = "import logging\nlogging.info('m')\n"


def modules(*roots):
    """The files under some roots, with their modules."""
    return {file.shown: file.module for file in find_files([Root(str(root)) for root in roots], pytest.fail)}


def test_what_is_skipped(tmp_path):
    """Folders with nobody's own code are skipped unless they are given; files are in the order of their paths."""
    names = [
        "b.py",
        "a/x.py",
        ".git/x.py",
        "a/__pycache__/x.py",
        "node_modules/x.py",
        "env/lib/x.py",
        "a/x.txt",
        "c.pyw",
    ]
    written(tmp_path, {**dict.fromkeys(names, LOGS), "env/pyvenv.cfg": ""})
    shown = [os.path.relpath(path, tmp_path) for path in modules(tmp_path)]
    assert shown == ["a/x.py", "b.py", "c.pyw"]
    assert [os.path.relpath(path, tmp_path) for path in modules(tmp_path / "env")] == ["env/lib/x.py"]
    assert [os.path.relpath(path, tmp_path) for path in modules(tmp_path / "a/x.txt")] == ["a/x.txt"]


def test_each_file_once(tmp_path):
    """A file that is given twice, or reached through a link, is scanned once."""
    written(tmp_path, {"a/x.py": LOGS})
    os.symlink(tmp_path / "a", tmp_path / "link")
    calls, problems = scanned(tmp_path, tmp_path / "a", tmp_path / "a/x.py")
    assert (len(calls), problems) == (1, [])


@pytest.mark.parametrize(
    ("files", "root", "module"),
    [
        (["shop/__init__.py", "shop/web/__init__.py", "shop/web/a.py"], "shop/web", "shop.web.a"),
        (["shop/__init__.py"], "shop", "shop"),
        (["src/shop/__init__.py", "src/shop/a.py"], ".", "shop.a"),
        (["src/shop/a.py"], ".", "shop.a"),
        (["src/google/shop/__init__.py", "src/google/shop/a.py"], "src/google", "google.shop.a"),
        (["lib/site-packages/google/shop/__init__.py", "lib/site-packages/google/shop/a.py"], "lib", "google.shop.a"),
        (["backend/shop/__init__.py", "backend/shop/a.py"], ".", "shop.a"),
        (["pyproject.toml", "shop/web/a.py"], "shop/web", "shop.web.a"),
        (["shop/web/a.py"], "shop", "web.a"),
        (["web/a.py"], "web/a.py", "a"),
    ],
)
def test_module_names(tmp_path, files, root, module):
    """A file's module is named from where its imports start: packages, src layouts, namespaces, scripts."""
    written(tmp_path, dict.fromkeys(files, ""))
    assert list(modules(tmp_path / root).values())[-1] == module


def test_name_of_main(tmp_path):
    """`__name__` in a package's `__main__.py` is what it is when that runs."""
    written(
        tmp_path, {"shop/__init__.py": "", "shop/__main__.py": "import logging\nlogging.getLogger(__name__).info('m')"}
    )
    calls, _ = scanned(tmp_path)
    assert [call.logger for call in calls] == ["__main__"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"def f(:\n", "not valid Python: invalid syntax"),
        (b"x = '\xff'\n", "its encoding can't be told: invalid or missing encoding declaration"),
        (b"\n\n\nx = '\xff'\n", "not utf-8, as it should be: byte 8"),
        (b"# coding: nonsense\n", "its encoding can't be told: unknown encoding"),
        (b"# coding: hex\n", "its encoding can't be told: 'hex' is not a text encoding"),
        (b"# coding: rot13\n", "its encoding can't be told: 'rot13' is not a text encoding"),
        (b"# coding: utf-16\n\n", "not in the encoding that it declares: UTF-16 stream does not start with BOM"),
        (b"# coding: undefined\n", "not in the encoding that it declares: undefined encoding"),
        (b"# coding: punycode\n", "not in the encoding that it declares: "),
        (b"x = 1\0\n", "not valid Python: "),
        (b"x = " + b"-" * 100_000 + b"1\n", "nested too deeply"),
        (b"x = " + b"(" * 1000 + b")" * 1000 + b"\n", "not valid Python: too many nested parentheses"),
        (b"if x:\n    pass\n" + b"elif x:\n    pass\n" * 5000, "nested too deeply"),
    ],
)
def test_unreadable_files(tmp_path, content, reason):
    """A file that can't be read or parsed is told with the reason, and the others are scanned all the same."""
    written(tmp_path, {"a.py": LOGS, "z.py": LOGS})
    (tmp_path / "m.py").write_bytes(content)
    calls, problems = scanned(tmp_path)
    assert [os.path.basename(call.source.path) for call in calls] == ["a.py", "z.py"]
    (problem,) = problems
    assert problem.place.startswith(f"{tmp_path}/m.py")
    assert problem.reason.startswith(reason)


def test_deepest_expressions(tmp_path):
    """However deep an expression is, the other files are scanned."""
    written(tmp_path, {"a.py": LOGS, "m.py": "x = " + "1 + " * 50_000 + "1\n", "z.py": LOGS})
    assert len(scanned(tmp_path)[0]) == 2


def test_deep_expressions(tmp_path):
    """A call in too deep an expression is told with its line, and no other call of the file is lost."""
    deep = "'a' + " * 900 + "x"
    written(tmp_path, {"a.py": f"{LOGS}logging.info({deep})\nlogging.info('n')\n"})
    calls, problems = scanned(tmp_path)
    assert [call.template.text for call in calls if len(call.template.text) == 1] == ["m", "n"]
    assert len(calls) + len(problems) == 3


def test_annotations_that_are_none(tmp_path):
    """Text in quotes that isn't an annotation, however deep, leaves the parameter unknown."""
    parameters = ["a: '" + "-" * 200_000 + "1'", "b: ''", "c: 'x y'", "d: 'x; y'", "log: ' logging.Logger '"]
    written(tmp_path, {"a.py": f"import logging\ndef f({', '.join(parameters)}):\n    a.info('n'), log.info('m')\n"})
    calls, problems = scanned(tmp_path)
    assert [(call.library, call.template.text) for call in calls] == [("logging", "m")]
    assert problems == []


def test_declared_encodings(tmp_path):
    """A file is read in the encoding that it declares."""
    (tmp_path / "a.py").write_bytes("# coding: latin-1\nimport logging\nlogging.info('größer')\n".encode("latin-1"))
    (tmp_path / "b.py").write_bytes("\ufeffimport logging\nlogging.info('größer')\n".encode())
    calls, problems = scanned(tmp_path)
    assert [call.template.text for call in calls] == ["größer", "größer"]
    assert problems == []


def test_files_that_are_none(tmp_path, monkeypatch):
    """Broken and circular links, pipes and huge files are told, and nothing hangs."""
    monkeypatch.setattr(parsing_module, "MAX_BYTES", 100)
    written(tmp_path, {"huge.py": "#" * 101, "ok.py": LOGS})
    os.symlink("missing", tmp_path / "broken.py")
    os.symlink("circle.py", tmp_path / "circle.py")
    os.symlink(".", tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe.py")
    calls, problems = scanned(tmp_path)
    assert len(calls) == 1
    assert {os.path.basename(problem.place): problem.reason for problem in problems} == {
        "huge.py": "larger than 0 MiB (101 bytes)",
        "broken.py": "No such file or directory",
        "circle.py": "Too many levels of symbolic links",
        "folder": "a symbolic link that leads back to a folder above it",
        "pipe.py": "not a regular file",
    }


def test_no_warnings(tmp_path):
    """What Python would warn of in the code is the code's affair."""
    written(tmp_path, {"a.py": LOGS + "x = '\\d'\nassert (1, 2)\n1 is 1\n"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calls, problems = scanned(tmp_path)
    assert (len(calls), problems) == (1, [])


def test_nothing_is_run(tmp_path):
    """Scanned code isn't run."""
    written(tmp_path, {"a.py": f"open({str(tmp_path / 'made')!r}, 'w')\n{LOGS}"})
    assert len(scanned(tmp_path)[0]) == 1
    assert not (tmp_path / "made").exists()


def test_the_code_can_be_forgotten(tmp_path):
    """Of many files that hold functions that log, only a few are in memory at a time."""
    source = "import logging\ndef say(text):\n    logging.info(text)\nsay('m')\n"
    written(tmp_path, {f"m{n}.py": source for n in range(2 * _KEPT)})
    files = list(find_files([Root(str(tmp_path))], pytest.fail))
    found = scan_files(files, pytest.fail)
    assert len(list(itertools.islice(found, 2 * len(files) - 1))) == 2 * len(files) - 1
    gc.collect()
    paths = {each.source.path for each in gc.get_objects() if issubclass(type(each), Scope)} & {
        file.path for file in files
    }
    assert 0 < len(paths) <= _KEPT


def test_memory_does_not_grow_with_the_code(tmp_path):
    """Of many files only a few are in memory at a time."""
    written(tmp_path, {f"m{n}.py": LOGS for n in range(3 * _KEPT)})
    files = list(find_files([Root(str(tmp_path))], pytest.fail))
    modules = Modules(files)
    for file in files:
        assert len(modules.calls(file)) == 1
    assert len(modules._parsed) == _KEPT
