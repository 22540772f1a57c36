"""The Pub/Sub API: an org's events as a stream."""
