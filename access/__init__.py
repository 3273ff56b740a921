"""Users, sign-in, sessions, and the View: the interface's only door to data."""
