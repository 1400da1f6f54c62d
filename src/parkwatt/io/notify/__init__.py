"""Messages to people, through whatever they read: e-mail, ntfy, Matrix, Telegram, a webhook and a hundred more (apprise)."""

from parkwatt.io.notify.delivery import DeliveryError, deliver, is_address, shown, target
from parkwatt.io.notify.outbox import Letter, Outbox

__all__ = ["DeliveryError", "Letter", "Outbox", "deliver", "is_address", "shown", "target"]
