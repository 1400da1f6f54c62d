"""Time that can jump: a whole site, its chargers and its sources run a month in minutes on one event loop.

`WarpLoop` is an asyncio event loop whose `time()` is simulated. When nothing is ready it jumps to the next timer instead of
waiting. Sockets on the loopback interface deliver within the call that sends, so what no poll shows is not under way either.
While a thread works for the loop, or somebody holds it, time stands still. `Pace` says how fast time may pass.
"""
