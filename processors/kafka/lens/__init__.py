"""The Kafka lens: what people may ask of a cluster, also while no flow runs.

::

    protocol   requests that aiokafka does not have     client     asks the right broker, in time
    topics     brokers, topics                          groups     members, positions, reset
    records    what is shown of a record, filters       tail       records as they come
    sightings  rebalances, seen by looking twice        diagnosis  why a cluster does not answer
    lens       the questions by name
"""
