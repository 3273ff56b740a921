"""Thresholds that business people own: rules, their trial on history, the alert book, notifications."""
