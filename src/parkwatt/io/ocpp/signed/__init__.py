"""Signed meter values: recognised by their form, checked where a key is known, kept as they came.

Verdicts, in the words of `parkwatt.domain.charger.reading`:

- `valid`: the signature is by ``public_key``: one that is configured for the charger, or, where none is, the message's own,
  which then proves that nothing was altered on the way and not who signed.
- `invalid`: no configured key signed it (also where the message brings a key of its own that did), or it was altered.
- `no_key`: it can be read, but no key is known to check it with.
- `unreadable`: a format or a curve that is not checked here (EDL, Alfen, SML, …), or damaged data.
"""

from parkwatt.io.ocpp.signed.check import read_signed
from parkwatt.io.ocpp.signed.ocmf import SignedRegister

__all__ = ["SignedRegister", "read_signed"]
