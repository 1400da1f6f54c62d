"""OpenADR 3.1 as a VEN: what a utility's server asks and tells comes in, reports go out (docs/reference/openadr.md)."""
