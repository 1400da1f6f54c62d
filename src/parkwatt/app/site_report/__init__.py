"""What a site's car saved, cost and wore: the accounts as a table, CSV, JSON, one HTML page, and through the API."""
