"""What a site saved and what its batteries went through, as the API, a CSV file and a PDF statement tell it."""
