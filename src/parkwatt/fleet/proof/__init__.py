"""What a pool would have drawn, and how it did: baselines side by side, with their bias on days without a call."""
