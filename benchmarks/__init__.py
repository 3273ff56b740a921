"""What the house promises about speed, measured: one module per promise, JSON out."""
