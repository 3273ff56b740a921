"""What an order is, how it comes in and how it is kept."""
