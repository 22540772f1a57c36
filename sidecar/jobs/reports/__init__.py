"""Reports: when each is due, what it says, and the mails that carry it."""
