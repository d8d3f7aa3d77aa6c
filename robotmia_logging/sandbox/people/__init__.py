"""What a user and a profile are. Pure: no clock, no store, no HTTP."""
