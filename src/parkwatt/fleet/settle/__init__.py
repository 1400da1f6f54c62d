"""Money of a pool from its journal alone: what a programme owes, how it is shared, what is still to be paid."""
