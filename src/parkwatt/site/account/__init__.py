"""What happened, in energy, money, wear and promises: a fold over the journal and nothing else."""
