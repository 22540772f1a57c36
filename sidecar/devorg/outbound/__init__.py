"""Outbound messages: queued when a transaction commits, sent until acknowledged."""
