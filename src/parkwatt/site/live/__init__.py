"""A site as it runs: its state is a fold of its events, each control step a pure function of what is observed."""
