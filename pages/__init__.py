"""One file = one question a user asks = one `render(view)`. PAGES is the menu."""
