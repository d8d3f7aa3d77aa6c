"""Delivery: buffering, order, retries and the way to the network. Knows message bytes, not logging calls."""

from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.delivery import Delivery, switched_off
from robotmia_logging.delivery.senders import SENDING, THREAD_NAME
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.stats import Stats
from robotmia_logging.delivery.transport import Outcome, Parcel, Transport, Verdict

__all__ = [
    "SENDING",
    "THREAD_NAME",
    "Clock",
    "Delivery",
    "DeliverySettings",
    "Outcome",
    "Parcel",
    "Stats",
    "Transport",
    "Verdict",
    "switched_off",
]
