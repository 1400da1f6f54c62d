"""A site as it was at a past moment: folded from its journal, and shown by the same views as the site now."""
