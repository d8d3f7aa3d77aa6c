"""The options of both doors: what they allow, and what the error says when a value isn't."""

from __future__ import annotations

import logging
import logging.config
import pickle
import re
from pathlib import Path

import pytest

from robotmia_logging import ConfigurationError, RobotmiaError, RobotmiaHandler, RobotmiaProcessor
from robotmia_logging.capture import PRIVACY
from robotmia_logging.delivery import Verdict
from robotmia_logging.options import _CAPTURE, _DELIVERY, _HASH_KEY, _OTHERS, Options

doors = pytest.mark.parametrize("door", [RobotmiaHandler, RobotmiaProcessor])


class Odd:
    def __repr__(self):
        return "<odd>"


NUMBERS = ["1", True, None, Odd(), [1]]
SECONDS = [*NUMBERS, -1, float("nan"), float("inf"), 10**400, 10**10]
BAD = {
    "hash": (["email", 5, [5], ["ip"], ["$token"]], "give a list of names|reads '"),
    "hash_key": (["", "short", 5, " " * 16, "0123456789abcdef\n"], "a secret of at least 16 characters"),
    "sample": ([-0.1, 1.1, "0.5", True, [0.5]], "from 0 to 1"),
    "token": (["", " ", "a b", "abc\n", 5, b"abc", ["abc"]], "non-empty string without blanks"),
    "url": (
        ["", "api.robotmia.com", "ftp://x", "http://", "http://x:port", "http://x?a=1", "http://a b", 5],
        "the API's base",
    ),
    "enabled": (["yes", 1, 0, Odd()], "True or False"),
    "level": (["LOUD", "", 1.5, True, None, Odd()], "a level's name"),
    "flush_level": (["LOUD", "", 1.5, True, None, Odd()], "a level's name"),
    "capacity": ([*NUMBERS, 0, -1, 51, 1.5], "from 1 to 50"),
    "flush_interval": ([*SECONDS, 0], "more than 0"),
    "max_pending": ([*NUMBERS, 0, 1.5], "at least 1"),
    "max_pending_bytes": ([*NUMBERS, 0, 1.5], "at least 1"),
    "overflow": (["drop", "", None, 5, ["block"]], "'drop_oldest', 'drop_newest', 'block'"),
    "block_timeout": (SECONDS, "0 or more"),
    "senders": ([*NUMBERS, 0, 65], "from 1 to 64"),
    "timeout": ([*SECONDS, 0, (1,), (1, 2, 3), (1, 0), [1, "2"], "12"], "a pair of them"),
    "shutdown_timeout": (SECONDS, "0 or more"),
    "spool": (["", " ", "a\0b", 5, Odd(), __file__, "~nobody-at-all/spool"], "path of a folder"),
    "spool_max_bytes": ([*NUMBERS, 0, 65535, 1.5], "at least 65536"),
    "spool_fsync": ([*NUMBERS[:-3], 0, -1, float("nan")], "more than 0"),
    "dead_letters": (["", "\t", "a\0b", 5, Odd(), "~nobody-at-all"], "path of a file"),
    "on_ambiguous": (["retry", None, 5], "'resend', 'dead_letter'"),
    "import_auth": (["key", {"api_key": 5}, {5: "a"}, {"data": "x"}], "form field"),
    "request_ip": (["yes", 1, None], "True or False"),
    "rules": ([5, {"message": "x"}, Odd()], "a list of rules"),
    "distinct_id": (["", 5, "ext://no.such.module", Odd()], "ext://package.module.function|the name of an extra"),
    "properties": (
        ["a", [1], {5: 1}, {"mp_a": 1}, {"distinct_id": 1}, {"time": 1}],
        "mapping of names|can't be a property",
    ),
    "include": (["plan", 5, [5], Odd()], "a list of names"),
    "exclude": (["plan", 5, [5], Odd()], "a list of names"),
    "before_send": (["no.such.module", "ext://logging.nothing", 5, "ext://logging.INFO"], "give a callable"),
    "delivery": ([5, "handler", Odd()], "`delivery` of another"),
}
CASES = [(name, value, allowed) for name, (values, allowed) in BAD.items() for value in values]


def test_every_option_has_its_bad_values():
    """The table above leaves no option out, and neither do the types."""
    assert BAD.keys() == {*_CAPTURE, *PRIVACY, *_HASH_KEY, *_DELIVERY, *_OTHERS} == Options.__annotations__.keys()


@doors
@pytest.mark.parametrize(("name", "value", "allowed"), CASES, ids=lambda value: repr(value)[:30])
def test_bad_value_names_option_value_and_what_is_allowed(door, name, value, allowed):
    """A bad value fails at construction, and the error says which option, which value, and what to give."""
    with pytest.raises(ConfigurationError, match=allowed) as caught:
        door(**{"token": "T", name: value})
    error = caught.value
    assert isinstance(error, (RobotmiaError, ValueError))
    assert error.option == name
    assert f"robotmia_logging: {name} is " in str(error)
    if name not in ("token", "import_auth", "hash_key"):
        assert error.value is value or error.value == value or repr(error.value) == repr(value)
        assert repr(value)[:90] in str(error)


@pytest.mark.parametrize("name", [name for name in BAD if name != "level"])
def test_bad_value_in_dict_config(name):
    """`dictConfig` shows our error as the cause of its own. (The handler's `level` it reads itself.)"""
    value = BAD[name][0][0]
    handler = {"class": "robotmia_logging.RobotmiaHandler", "token": "T", name: value}
    config = {"version": 1, "incremental": False, "disable_existing_loggers": False, "handlers": {"robotmia": handler}}
    with pytest.raises(ValueError, match="robotmia") as caught:
        logging.config.dictConfig(config)
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert caught.value.__cause__.option == name


@doors
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("flush_intervall", "did you mean 'flush_interval'?"),
        ("capcity", "did you mean 'capacity'?"),
        ("zzz", "options are"),
    ],
)
def test_unknown_option_is_an_error_with_a_suggestion(door, name, hint):
    """An option that isn't there fails, and the nearest one is named."""
    with pytest.raises(ConfigurationError) as caught:
        door(**{"token": "T", name: 5})
    assert hint in str(caught.value)
    assert (caught.value.option, caught.value.value) == (name, 5)


@doors
@pytest.mark.parametrize(
    "options",
    [
        {"tokn": "s3cret"},
        {"Token": "s3cret"},
        {"api_token": "s3cret"},
        {"api_key": "s3cret"},
        {"import_aut": {"api_key": "s3cret"}},
        {"token": "s3cret s3cret"},
        {"token": ["s3cret"]},
        {"token": "T", "import_auth": {"data": "s3cret"}},
        {"token": "s3cret", "capacity": 99},
        {"token": "s3cret", "before_send": "no.such"},
    ],
    ids=str,
)
def test_no_error_shows_a_secret(door, options):
    """A token is in no error, not even as the value of a misspelt option."""
    with pytest.raises(ConfigurationError) as caught:
        door(**options)
    assert "s3cret" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@doors
def test_repr_shows_no_token(door):
    """`repr()` of doors, their delivery and settings never show the token."""
    made = door(token="s3cret", url="http://127.0.0.1:9")
    shown = f"{made!r} {made!s} {made.delivery!r} {made._door.composer._settings!r} {made.stats()!r}"
    assert "s3cret" not in shown
    assert "http://127.0.0.1:9, 0 pending" in repr(made)


@doors
def test_token_is_needed(door, monkeypatch):
    """No token anywhere is a clear error when configured."""
    monkeypatch.delenv("ROBOTMIA_TOKEN", raising=False)
    for nothing in ({}, {"token": None}):
        with pytest.raises(ConfigurationError, match=r"\$ROBOTMIA_TOKEN"):
            door(**nothing)
    monkeypatch.setenv("ROBOTMIA_TOKEN", "")
    with pytest.raises(ConfigurationError, match=r"\$ROBOTMIA_TOKEN"):
        door()


@doors
def test_environment_gives_token_and_url(door, monkeypatch):
    """`$ROBOTMIA_TOKEN` and `$ROBOTMIA_URL` count where the options say nothing."""
    monkeypatch.setenv("ROBOTMIA_TOKEN", "env")
    monkeypatch.setenv("ROBOTMIA_URL", "http://env:1")
    made = door()
    assert (made._door.composer._settings.token, made.delivery.settings.url) == ("env", "http://env:1")
    made = door(token="said", url="http://said:1")
    assert (made._door.composer._settings.token, made.delivery.settings.url) == ("said", "http://said:1")
    monkeypatch.setenv("ROBOTMIA_URL", "")
    assert door(url=None).delivery.settings.url == "https://api.robotmia.com"


@doors
@pytest.mark.parametrize(
    ("value", "enabled"),
    [
        ("0", False),
        ("false", False),
        ("No", False),
        ("OFF", False),
        ("1", True),
        ("true", True),
        (" yes ", True),
        ("", True),
    ],
)
def test_environment_switches_off(door, monkeypatch, value, enabled):
    """`$ROBOTMIA_ENABLED` switches off; the option wins over it."""
    monkeypatch.setenv("ROBOTMIA_ENABLED", value)
    assert ("switched off" in repr(door(token="T"))) is not enabled
    assert "switched off" not in repr(door(token="T", enabled=True))
    assert "switched off" in repr(door(enabled=False))


@doors
@pytest.mark.parametrize(
    ("name", "value"),
    [("ROBOTMIA_ENABLED", "maybe"), ("ROBOTMIA_URL", "api.robotmia.com"), ("ROBOTMIA_TOKEN", "s3cret\n")],
)
def test_bad_environment_names_the_variable(door, monkeypatch, name, value):
    """A bad value in the environment is an error that names the variable."""
    monkeypatch.setenv("ROBOTMIA_TOKEN", "T")
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        door()
    assert caught.value.option == f"${name}"
    assert "s3cret" not in str(caught.value)


@doors
def test_switched_off_still_checks_the_options(door):
    """A mistake shows in CI too, where the door is switched off."""
    with pytest.raises(ConfigurationError):
        door(enabled=False, capacity=99)
    with pytest.raises(ConfigurationError):
        door(enabled=False, rules=[{"mesage": "x"}])


@doors
def test_none_means_default_where_it_says_so(door):
    """None counts as not given for options whose default is none."""
    names = ("url", "enabled", "spool", "spool_fsync", "dead_letters", "rules", "distinct_id", "properties", "include")
    made = door(token="T", **dict.fromkeys([*names, "exclude", "before_send", "import_auth", "delivery"]))
    assert "switched off" not in repr(made)


@doors
def test_values_are_taken_as_given(door):
    """Good values reach the settings."""
    made = door(token="T", timeout=3, capacity=10, senders=2, flush_interval=1, include={"a"}, flush_level="warning")
    settings = made.delivery.settings
    assert (settings.timeout, settings.capacity, settings.senders, settings.flush_interval) == ((3.0, 3.0), 10, 2, 1.0)
    assert made._door.flush_level == logging.WARNING


def test_spool_from_the_environment(monkeypatch, tmp_path):
    """`$ROBOTMIA_SPOOL` turns the spool on; it holds the dead letters, unless they are given a place."""
    monkeypatch.setenv("ROBOTMIA_SPOOL", str(tmp_path / "spool"))
    settings = RobotmiaHandler(token="T").delivery.settings
    assert settings.spool == str(tmp_path / "spool")
    assert settings.dead_letters == str(tmp_path / "spool" / "dead-letters.jsonl")
    given = RobotmiaHandler(token="T", spool=tmp_path / "other", dead_letters=tmp_path / "letters").delivery.settings
    assert (given.spool, given.dead_letters) == (str(tmp_path / "other"), str(tmp_path / "letters"))
    assert list(tmp_path.iterdir()) == []  # nothing is opened before the first message


def test_a_tilde_is_the_home_of_the_user(monkeypatch, tmp_path):
    """`~` in `spool` and `dead_letters` isn't the name of a folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    given = RobotmiaHandler(token="T", spool="~/spool", dead_letters="~/letters").delivery.settings
    assert (given.spool, given.dead_letters) == (str(tmp_path / "spool"), str(tmp_path / "letters"))


@pytest.mark.parametrize(("option", "value"), [("spool_max_bytes", 1 << 20), ("spool_fsync", 1.0)])
def test_what_is_about_a_spool_needs_one(monkeypatch, tmp_path, option, value):
    """An option of a spool that isn't there is a mistake, but not where a door is switched off."""
    with pytest.raises(ConfigurationError, match=f"{option} is .*: there is no spool"):
        RobotmiaHandler(token="T", **{option: value})
    RobotmiaHandler(token="T", enabled=False, **{option: value})
    monkeypatch.setenv("ROBOTMIA_SPOOL", str(tmp_path))
    settings = RobotmiaHandler(token="T", **{option: value}).delivery.settings
    assert getattr(settings, option) == value


def test_a_spool_from_the_environment_is_checked(monkeypatch):
    """A `$ROBOTMIA_SPOOL` that can be none is an error that names it."""
    monkeypatch.setenv("ROBOTMIA_SPOOL", __file__)
    with pytest.raises(ConfigurationError, match=r"\$ROBOTMIA_SPOOL is .*: give the path of a folder"):
        RobotmiaHandler(token="T")


def test_delivery_is_shared_with_its_token():
    """`RobotmiaProcessor(delivery=handler.delivery)` sends the same way, with its token or another."""
    handler = RobotmiaHandler(token="T")
    shared = RobotmiaProcessor(delivery=handler.delivery)
    own = RobotmiaProcessor(delivery=handler.delivery, token="other")
    assert shared.delivery is own.delivery is handler.delivery
    assert (shared._door.composer._settings.token, own._door.composer._settings.token) == ("T", "other")


@pytest.mark.parametrize("name", sorted(_DELIVERY))
def test_shared_delivery_takes_no_options_of_delivery(name):
    """Options of delivery belong to the door that owns it."""
    handler = RobotmiaHandler(token="T")
    value = {"url": "http://x", "dead_letters": "letters", "import_auth": {"a": "b"}}.get(name, 1)
    with pytest.raises(ConfigurationError, match="whose delivery is shared") as caught:
        RobotmiaProcessor(delivery=handler.delivery, **{name: value})
    assert caught.value.option == name


def test_sharing_what_is_switched_off():
    """A door that shares the delivery of a switched-off one is switched off too."""
    handler = RobotmiaHandler(enabled=False)
    assert "switched off" in repr(RobotmiaProcessor(delivery=handler.delivery))
    assert "switched off" in repr(RobotmiaProcessor(delivery=RobotmiaHandler(token="T").delivery, enabled=False))


def test_error_pickles_and_shortens_long_values():
    """Errors travel between processes, and stay readable."""
    error = pickle.loads(pickle.dumps(ConfigurationError("capacity", "9" * 1000, "give 1 to 50")))
    assert (error.option, error.value, error.allowed) == ("capacity", "9" * 1000, "give 1 to 50")
    assert len(str(error)) < 200


def test_error_survives_a_value_without_text():
    """A value whose repr fails is shown by its type."""

    class Mute:
        def __repr__(self):
            raise RuntimeError

    assert "capacity is <Mute>" in str(ConfigurationError("capacity", Mute(), "give 1 to 50"))


def test_no_error_or_repr_shows_a_secret(monkeypatch):
    """Passwords in a URL are refused unseen; `import_auth` shows neither in an error nor in a repr."""
    monkeypatch.setenv("ROBOTMIA_TOKEN", "t")
    with pytest.raises(ConfigurationError) as refused:
        RobotmiaHandler(url="https://ada:hunter2@example.com")
    assert "hunter2" not in str(refused.value)
    handler = RobotmiaHandler(import_auth={"api_key": "hunter2"})
    assert "hunter2" not in repr(handler.delivery.settings) + repr(handler)
    with pytest.raises(ConfigurationError) as refused:
        RobotmiaProcessor(delivery=handler.delivery, import_auth={"api_key": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_the_environments_token_is_read_only_where_it_is_needed(monkeypatch):
    """A bad `$ROBOTMIA_TOKEN` harms neither a door that was given one nor a door that is switched off."""
    monkeypatch.setenv("ROBOTMIA_TOKEN", "a b")
    RobotmiaHandler(token="good")
    RobotmiaHandler(enabled=False)
    with pytest.raises(ConfigurationError, match="ROBOTMIA_TOKEN"):
        RobotmiaHandler()


def test_every_reason_is_in_the_readme():
    """Whatever `stats()` may count a message under, the README explains."""
    root = Path(__file__).parent.parent
    code = "".join(
        path.read_text() for path in (root / "robotmia_logging").rglob("*.py") if "sandbox" not in path.parts
    )
    reasons = set(re.findall(r'(?:Refused|_Dropped)\(\s*"([a-z_]+)"', code)) | {v.value for v in Verdict}
    readme = (root / "README.md").read_text()
    missing = [reason for reason in reasons - {"delivered", "failed"} if f"`{reason}`" not in readme]
    assert len(reasons) > 12
    assert missing == []
