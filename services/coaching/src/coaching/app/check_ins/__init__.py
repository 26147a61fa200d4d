"""Check-ins as people and operators handle them: one file for each thing that may be asked."""
