"""The server: REST API and editor for flow definitions."""
