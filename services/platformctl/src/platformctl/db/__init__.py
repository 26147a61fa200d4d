"""The database as an operator sees it: migrate, wait for a revision, verify."""
