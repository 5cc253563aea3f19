"""The typed client of the REST API. Written by `make client`: do not edit."""
