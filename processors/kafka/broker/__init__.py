"""A real Apache Kafka on loopback, without Docker and without a Java of the system.

``Cluster`` runs one for a test or a program; ``local_bootstrap`` finds the one that
``flowengine kafka start`` runs for the user.

::

    places     folders for downloads, data and state
    artifacts  the exact jars, downloaded once, checked by SHA-256    (pin writes the list)
    java       which Java; archive: its class data sharing
    settings   server.properties; security: TLS and passwords; ports: which are free
    process    start, recognise and end processes
    node       one broker; probe: whether it answers; cluster: all of them
    local      the cluster of ``flowengine kafka start``; state: the file that tells where it is
"""

from processors.kafka.broker.cluster import Cluster
from processors.kafka.broker.security import Security
from processors.kafka.broker.state import LocalBroker, find_local, local_bootstrap

__all__ = ["Cluster", "LocalBroker", "Security", "find_local", "local_bootstrap"]
