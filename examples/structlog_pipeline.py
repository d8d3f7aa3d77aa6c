"""structlog: one more processor in the chain. The web middleware binds the user once; the JSON log lines stay."""

import structlog

from robotmia_logging import RobotmiaProcessor

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        RobotmiaProcessor(exclude=["request_id"]),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ]
)
log = structlog.get_logger()

# What a web middleware does when a request begins.
structlog.contextvars.bind_contextvars(distinct_id="ada", ip="203.0.113.7", request_id="5f0c")

log.info("Signed Up", track=True, plan="pro", seats=3)
log.info("cache warmed", entries=312)  # an ordinary log line: not tracked
log.info("settings saved", profile={"$set": {"$first_name": "Ada"}, "$add": {"Logins": 1}})
log.info("invoice paid", revenue={"$amount": 49.9, "invoice": "INV-7"})
log.warning("payment failed", track="Payment Failed", attempt=2)

# And when it ends. What is logged now has no user.
structlog.contextvars.clear_contextvars()
log.info("Report Sent", track=True, recipients=12)
