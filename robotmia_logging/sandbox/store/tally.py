"""How much is kept: counted in the database itself, so that no failed transaction can make it wrong."""

import sqlite3
from dataclasses import astuple, dataclass, fields


@dataclass(slots=True)
class Tally:
    """The counts.

    Attributes:
        last_id: the newest entry's id.
        epoch: how often everything was forgotten.
        gave_way: how many entries had to give way to newer ones.
        entries: how many are kept.
        entry_bytes: about how many bytes they are, with their requests.
        updates: how many are not folded yet.
        update_bytes: about how many bytes they are.
        profiles: how many are kept.
        profile_bytes: about how many bytes they are.
        aliases: how many are kept.
        alias_bytes: about how many bytes they are.
    """

    last_id: int = 0
    epoch: int = 0
    gave_way: int = 0
    entries: int = 0
    entry_bytes: int = 0
    updates: int = 0
    update_bytes: int = 0
    profiles: int = 0
    profile_bytes: int = 0
    aliases: int = 0
    alias_bytes: int = 0

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> "Tally":
        """Read the counts."""
        return cls(*connection.execute(_LOAD).fetchone())

    def restart(self) -> None:
        """Count from 0 again, in a new epoch."""
        epoch = self.epoch + 1
        for name in _NAMES:
            setattr(self, name, 0)
        self.epoch = epoch

    def save(self, connection: sqlite3.Connection) -> None:
        """Write the counts, in the transaction that changed them."""
        connection.execute(_SAVE, astuple(self))


_NAMES = [field.name for field in fields(Tally)]
_LOAD = f"SELECT {', '.join(_NAMES)} FROM tally"  # noqa: S608 - the names are ours
_SAVE = f"UPDATE tally SET {', '.join(f'{name} = ?' for name in _NAMES)}"  # noqa: S608 - the names are ours
