"""What a pool will be able to do: learned from what its cars did, with the probability that it holds."""
