import socket
import struct
import threading
from contextlib import contextmanager

import pytest

from processors.kafka.broker.ports import free_ports, is_free
from processors.kafka.broker.probe import brokers_known_to


@contextmanager
def server_that_answers(answer):
    """A listener on loopback that reads one request and says ``answer``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_port_without_a_server_knows_no_broker():
    assert brokers_known_to(free_ports(1)[0]) == 0


def test_the_number_of_brokers_is_read_from_the_answer():
    with server_that_answers(struct.pack(">iii", 8, 1, 3)) as port:
        assert brokers_known_to(port) == 3


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack(">iii", 8, 7, 3), b"\0\0\0\x09"],
)
def test_what_is_no_kafka_knows_no_broker(answer):
    with server_that_answers(answer) as port:
        assert brokers_known_to(port) == 0


def test_a_port_with_a_server_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])


def test_a_real_broker_knows_itself(kafka):
    assert brokers_known_to(kafka.cluster.ports[0].internal) == 1
