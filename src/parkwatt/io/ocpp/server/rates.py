"""Limits of rate: token buckets.

A bucket holds at most `burst` tokens and gains `rate_per_s` of them each second. An event that finds no token is told
how long to wait. `now_s` is the event loop's monotonic clock, given by the caller.
"""

from __future__ import annotations

from collections import OrderedDict


class TokenBucket:
    """One bucket, full at first."""

    __slots__ = ("_burst", "_rate_per_s", "_seen_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float, now_s: float) -> None:
        """A bucket of ``burst`` tokens that gains ``rate_per_s``."""
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._seen_s = now_s

    def take(self, now_s: float) -> float:
        """Take one token: 0 where there was one, else the seconds until there will be (none is taken)."""
        self._refill(now_s)
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._rate_per_s

    def missing_s(self, now_s: float) -> float:
        """The seconds until a token could be taken; 0 where one could be now. Takes none."""
        self._refill(now_s)
        return max(0.0, (1.0 - self._tokens) / self._rate_per_s)

    def spend(self, tokens: float, now_s: float) -> float:
        """Take ``tokens`` for what has happened already, into debt if need be; the seconds to rest until it is paid."""
        held = self._tokens
        gained = (now_s - self._seen_s) * self._rate_per_s
        if gained > 0.0:  # as `_refill`, which would be called for every message
            self._seen_s = now_s
            held += gained
            if held > self._burst:
                held = self._burst
        self._tokens = held = held - tokens
        return 0.0 if held >= 0.0 else -held / self._rate_per_s

    def _refill(self, now_s: float) -> None:
        gained = (now_s - self._seen_s) * self._rate_per_s
        if gained > 0.0:
            self._seen_s = now_s
            self._tokens = min(self._burst, self._tokens + gained)


class KeyedBuckets:
    """One bucket for each key; only the ``keys_max`` keys used last are remembered, so memory is bounded."""

    def __init__(self, rate_per_s: float, burst: float, keys_max: int) -> None:
        """Buckets of ``burst`` tokens that each gain ``rate_per_s``."""
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._keys_max = keys_max
        self._buckets: OrderedDict[tuple[str, ...], TokenBucket] = OrderedDict()

    def take(self, now_s: float, *key: str) -> float:
        """Take one token of ``key``'s bucket, as `TokenBucket.take`."""
        return self._bucket(key, now_s).take(now_s)

    def missing_s(self, now_s: float, *key: str) -> float:
        """The seconds until ``key`` could take a token; a key that never took one waits for nothing."""
        bucket = self._buckets.get(key)
        return 0.0 if bucket is None else bucket.missing_s(now_s)

    def _bucket(self, key: tuple[str, ...], now_s: float) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate_per_s, self._burst, now_s)
            if len(self._buckets) > self._keys_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket
