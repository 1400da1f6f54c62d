"""The study: replay a span of real data with a rolling horizon, and say what each strategy would have been worth."""
