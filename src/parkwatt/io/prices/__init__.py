"""Prices of electricity as a running site receives them: from exchanges and suppliers over the network, and from files.

`settings` reads which feeds a site has; each source has a module that asks it and reads its answer into plain
quotes; `answer` checks them, alike for all; `feed` asks when there is something new, and tells what it got.
"""

from parkwatt.io.prices.feed import PriceFeed, price_feed
from parkwatt.io.prices.settings import FeedSettings, read_feed

__all__ = ["FeedSettings", "PriceFeed", "price_feed", "read_feed"]
