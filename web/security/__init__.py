"""Who may do what: users, sessions, tokens, roles, and the checks before every request."""
