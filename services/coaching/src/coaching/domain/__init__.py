"""The rules of coaching: plain functions and frozen dataclasses over the standard library."""
