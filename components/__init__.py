"""Draws what it is given: tokens, formats, and the small components every page is made of. Knows no SQL and no store."""
