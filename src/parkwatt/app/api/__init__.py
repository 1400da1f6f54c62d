"""The REST API: chargers, transactions, commands and the journal, described by OpenAPI at /openapi.json."""
