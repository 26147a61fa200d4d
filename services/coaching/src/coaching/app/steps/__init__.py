"""The steps of a turn, a file each; `app/turn.py` shows their order."""
