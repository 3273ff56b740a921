"""The demo country: a seeded, endless stream of orders with planted incidents, written as the source systems would."""
