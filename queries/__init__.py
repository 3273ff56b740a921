"""The semantic layer: what a metric is, how a question becomes one SQL statement, and the only door to the lake."""
