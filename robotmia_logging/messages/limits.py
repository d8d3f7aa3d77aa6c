"""The API document's numbers and names."""

from __future__ import annotations

#: The API's base.
DEFAULT_URL = "https://api.robotmia.com"

#: "Both endpoints will accept up to 50 messages in a single batch" (Batch requests).
MAX_BATCH = 50

#: `/track/` refuses events "more than 5 days old" (Events).
TRACK_AGE_S = 5 * 24 * 3600

#: From this age on an event goes to `/import/`: the five days, less a margin for clocks that disagree.
IMPORT_AGE_S = TRACK_AGE_S - 5 * 60

#: Names that begin so are robotmia's own (Special properties in events).
RESERVED_PREFIX = "mp_"

#: The eight operations of a profile update (Update Operations).
OPERATIONS = ("$set", "$set_once", "$add", "$append", "$union", "$remove", "$unset", "$delete")

#: Profile properties with a meaning of their own (Special properties in profile updates; Tracking revenue).
SPECIAL_PROFILE_PROPERTIES = frozenset(
    {"$first_name", "$last_name", "$name", "$created", "$email", "$phone", "$transactions"}
)

#: Sending one of these twice counts it twice.
NOT_REPEATABLE = frozenset({"$add", "$append"})
