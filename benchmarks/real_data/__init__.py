"""Real prices, homes and charging sessions, put together as sites to study; generated ones where the data are not there."""
