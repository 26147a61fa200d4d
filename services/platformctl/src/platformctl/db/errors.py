"""What can go wrong with the database, as a person should read it."""


class DatabaseError(Exception):
    """A database command cannot do its work. The text says why and what to do; it holds no URL and no password."""
