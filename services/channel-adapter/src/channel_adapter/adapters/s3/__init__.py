"""S3 and what speaks its language: as much of it as content that is named by its hash needs."""
