"""Log calls become robotmia events and profile updates; the token stands in $ROBOTMIA_TOKEN."""

import logging.config

LOGGING = {
    "version": 1,
    "handlers": {
        "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
        "robotmia": {"class": "robotmia_logging.RobotmiaHandler"},
    },
    "root": {"handlers": ["console", "robotmia"], "level": "INFO"},
}
logging.config.dictConfig(LOGGING)
log = logging.getLogger("shop")

log.info("order %s placed", 17, extra={"event": "Order Placed", "distinct_id": "ada", "total": 49.9})
log.info("plan changed", extra={"profile": {"$set": {"Plan": "pro"}}, "distinct_id": "ada"})
