"""What a `$create_alias` does: which id stands for which from now on."""


def judge(alias: str, original: str, standing: str | None, *, has_messages: bool) -> tuple[bool, str]:
    """Decide on a new alias.

    The first original of an alias stands. An alias that would close a circle has no effect, so that every id has
    exactly one original.

    Args:
        alias: the new id.
        original: what the id it is to stand for stands for itself, in the end.
        standing: the original of the alias so far, if it is one already.
        has_messages: whether there are messages to the alias.

    Returns:
        Whether the alias takes effect, and a warning, or an empty string.
    """
    if alias == original:
        return False, "the alias is the original itself, or one of its own: no effect"
    if standing == original:
        return False, ""
    if standing is not None:
        return False, f"the alias already stands for {_show(standing)}, and the first original stands: no effect"
    if has_messages:
        return True, "the alias already has messages: they stay where they are, only new ones are mapped"
    return True, ""


def _show(user: str, longest: int = 60) -> str:
    return repr(user if len(user) <= longest else user[:longest] + "...")
