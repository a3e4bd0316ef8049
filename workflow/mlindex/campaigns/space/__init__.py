"""The space of a campaign: what may be varied, what is allowed, what is wanted."""
