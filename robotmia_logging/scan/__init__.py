"""Finds the log calls of a code base by reading its syntax trees; nothing of it is imported or run."""

from robotmia_logging.scan.arguments import Argument
from robotmia_logging.scan.calls import LogCall
from robotmia_logging.scan.files import Problem, Root, SourceFile, find_files
from robotmia_logging.scan.packages import package_roots
from robotmia_logging.scan.rules import pattern_of
from robotmia_logging.scan.rules_file import rules_file
from robotmia_logging.scan.scanning import scan_files
from robotmia_logging.scan.table import table

__all__ = [
    "Argument",
    "LogCall",
    "Problem",
    "Root",
    "SourceFile",
    "find_files",
    "package_roots",
    "pattern_of",
    "rules_file",
    "scan_files",
    "table",
]
