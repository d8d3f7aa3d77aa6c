"""A shop as it has been for years: it logs, and knows nothing of tracking."""

import logging

log = logging.getLogger("shop")


def sign_up(user: str, plan: str) -> None:
    """Let somebody in."""
    log.info(f"{user} signed up for {plan}")  # noqa: G004 - as people write it


def order(user: str, cart: dict[str, float]) -> None:
    """Sell."""
    log.info("%s ordered %d items for %.2f", user, len(cart), sum(cart.values()))


def decline(user: str, reason: str) -> None:
    """Don't sell."""
    log.warning("payment of %(user)s declined: %(reason)s", {"user": user, "reason": reason})


def tidy(rows: int) -> None:
    """What no product manager asks for."""
    log.debug("%d stale rows", rows)
