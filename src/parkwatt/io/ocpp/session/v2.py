"""What is made of each message of 2.0.1 and 2.1: 2.1 adds messages and fields to 2.0.1, the rest is the same."""

from __future__ import annotations

from parkwatt.io.ocpp.session import (
    v2_authorization,
    v2_car,
    v2_der,
    v2_provisioning,
    v2_transactions,
)
from parkwatt.io.ocpp.session.inbound import Handler
from parkwatt.io.ocpp.session.v2_commissioning import ANSWERS, FAILURES, commissioning_calls
from parkwatt.io.ocpp.session.v2_der import SEND_HANDLERS

__all__ = ["ANSWERS", "FAILURES", "HANDLERS", "SEND_HANDLERS", "commissioning_calls"]

HANDLERS: dict[str, Handler] = {
    **v2_provisioning.HANDLERS,
    **v2_authorization.HANDLERS,
    **v2_transactions.HANDLERS,
    **v2_car.HANDLERS,
    **v2_der.HANDLERS,
}
