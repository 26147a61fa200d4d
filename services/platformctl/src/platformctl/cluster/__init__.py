"""What must act on a Kubernetes cluster: secrets, the migration job and its marker, versions, scaling, jobs."""
