"""The main job for real, on one machine, with an org and a mail server of our own."""
