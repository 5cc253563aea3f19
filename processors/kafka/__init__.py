"""Apache Kafka: a connection, a source, a sink, and a broker of our own."""
