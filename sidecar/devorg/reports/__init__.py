"""The Reports API: deployed reports, run on the records of the org."""
