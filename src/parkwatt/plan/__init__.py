"""From a problem to a plan, pure numerics: exact solve, wear, independent check, explanation."""
