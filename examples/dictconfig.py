"""A `dictConfig` program: events, all eight profile operations, an alias, revenue, and an event from last month."""

import logging.config
from datetime import datetime, timedelta, timezone

LOGGING = {
    "version": 1,
    "handlers": {
        "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
        "robotmia": {"class": "robotmia_logging.RobotmiaHandler", "properties": {"release": "2.4"}},
    },
    "root": {"handlers": ["console", "robotmia"], "level": "INFO"},
}
logging.config.dictConfig(LOGGING)
log = logging.getLogger("shop")

# An event. Its name is `event`, or with track=True the message as written; other extras are its properties.
log.info("looked at %s", "/pricing", extra={"event": "Page Viewed", "distinct_id": "visitor-71", "path": "/pricing"})
log.info("Search Used", extra={"track": True, "distinct_id": "visitor-71", "properties": {"name": "robots", "hits": 3}})
log.info("cache has %d entries", 312)  # an ordinary log line: not tracked

# The visitor signs up: from now on ada is another id of visitor-71.
log.info("signed up", extra={"alias": "ada", "distinct_id": "visitor-71", "event": "Signed Up", "plan": "free"})

# Profile updates: the eight operations, alone, together, or beside an event.
log.info("saved settings", extra={"distinct_id": "ada", "profile": {"$set": {"$email": "ada@example.com"}}})
log.info("first visit", extra={"distinct_id": "ada", "profile": {"$set_once": {"Source": "newsletter"}}})
log.info("used a coupon", extra={"distinct_id": "ada", "profile": {"$add": {"Coupons": 1}, "$append": {"Codes": "A7"}}})
log.info("joined lists", extra={"distinct_id": "ada", "profile": {"$union": {"Lists": ["news", "offers"]}}})
log.info("left a list", extra={"distinct_id": "ada", "profile": {"$remove": {"Lists": "offers"}}})
log.info("hid address", extra={"distinct_id": "ada", "profile": {"$unset": ["Address"]}})
log.info("account closed", extra={"distinct_id": "bob", "event": "Account Closed", "profile": {"$delete": ""}})

# Revenue: a number, or a mapping with $amount.
log.info("paid", extra={"distinct_id": "ada", "revenue": 49.9})
log.info("paid %s", "INV-8", extra={"distinct_id": "ada", "revenue": {"$amount": 12, "invoice": "INV-8"}})

# An event from last month: it arrives through /import/, for /track/ takes five days.
last_month = datetime.now(timezone.utc) - timedelta(days=30)
log.info("imported a trial", extra={"distinct_id": "ada", "event": "Trial Started", "time": last_month})
