"""How much may be kept."""

from dataclasses import dataclass

from robotmia_logging.sandbox.store.tally import Tally

OVERHEAD_BYTES = 150
"""About what a row takes beside its texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may be kept. What profiles need is at most half, so that entries have the other half at least.

    Attributes:
        max_messages: entries, and as many updates that are not folded yet, profiles and aliases.
        max_bytes: of all these together, about.
    """

    max_messages: int
    max_bytes: int

    def __post_init__(self) -> None:
        for name in ("max_messages", "max_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")

    @property
    def update_bytes(self) -> int:
        """Of updates that are not folded yet."""
        return self.max_bytes // 8

    @property
    def profile_bytes(self) -> int:
        """Of folded profiles."""
        return self.max_bytes // 4

    @property
    def alias_bytes(self) -> int:
        """Of aliases."""
        return self.max_bytes // 8

    def entry_bytes(self, tally: Tally) -> int:
        """Of entries and their requests: what the others leave."""
        others = tally.update_bytes + tally.profile_bytes + tally.alias_bytes
        return max(self.max_bytes - others, self.max_bytes // 2)


def size(*texts: str | None) -> int:
    """About how many bytes a row of these texts takes."""
    total = OVERHEAD_BYTES
    for text in texts:
        if text:
            total += len(text) if text.isascii() else len(text.encode())
    return total
