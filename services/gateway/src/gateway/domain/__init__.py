"""Rules of the public door, as plain functions and frozen data; imports only the standard library."""
