"""Faults on demand: a robotmia that is slow, fails, hangs or is away, so that users see their tracking survive."""

from robotmia_logging.sandbox.faults.faults import Faults
from robotmia_logging.sandbox.faults.injector import FaultInjector, Network
from robotmia_logging.sandbox.faults.switch import FaultSwitch

__all__ = ["FaultInjector", "FaultSwitch", "Faults", "Network"]
