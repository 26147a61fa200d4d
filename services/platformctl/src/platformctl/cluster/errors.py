"""What can go wrong with the cluster, as a person should read it."""


class ClusterError(Exception):
    """A cluster command cannot do its work. The text says why and what to do, and holds no secret."""
