"""What a channel message is, how long texts are split, what becomes of a delivery. Standard library only."""
