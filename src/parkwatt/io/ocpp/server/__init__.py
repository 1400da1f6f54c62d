"""The chargers' socket: who may connect, at which rate, and the link that carries their frames."""
