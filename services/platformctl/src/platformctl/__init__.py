"""Every operator action as a tested command."""
