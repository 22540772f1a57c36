"""Record-triggered flows: read when they are deployed, run when a record is saved."""
