"""The runtime of data flows: graph, connections, sessions, scheduler, repository, command line."""
