"""A virtual household: its load, its sun, its cars behind virtual chargers, its meter and its price source, and the truth.

Everything is reached as in a real home: the chargers connect over WebSockets, the meter answers Modbus TCP, prices come over
HTTP. The home keeps what physically happened in each second, so that promises can be judged without asking Parkwatt.
"""
