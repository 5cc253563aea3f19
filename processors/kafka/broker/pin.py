"""Write ``artifacts.txt`` anew for another version: ``python -m processors.kafka.broker.pin``.

Reads the POMs through jgo (about ten seconds) and downloads every jar to take its SHA-256.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import MavenContext

from processors.kafka.broker.artifacts import KAFKA_VERSION, jar_repository
from processors.kafka.broker.download import THREADS

HEADER = (
    f"# Apache Kafka {KAFKA_VERSION} and what it needs: "
    "group:artifact:version, size in bytes, SHA-256.\n"
    "# Made with `python -m processors.kafka.broker.pin`; nothing here is edited by hand.\n"
)


def main() -> None:
    """Resolve, download, hash, write."""
    context = MavenContext(repo_cache=jar_repository())
    kafka = context.create_dependency(f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}")
    own, needed = context.resolver.resolve([kafka])
    found = {(each.groupId, each.artifactId, each.version) for each in own + needed}
    log4j = next(version for _, name, version in found if name == "log4j-core")
    # Without this binding of the same version the broker logs nothing.
    found.add(("org.apache.logging.log4j", "log4j-slf4j-impl", log4j))
    with ThreadPoolExecutor(THREADS) as threads:
        lines = list(threads.map(lambda each: _line(context, *each), sorted(found)))
    Path(__file__).with_name("artifacts.txt").write_text(HEADER + "".join(lines))


def _line(context: MavenContext, group: str, name: str, version: str) -> str:
    jar = context.project(group, name).at_version(version).artifact().resolve().read_bytes()
    return f"{group}:{name}:{version} {len(jar)} {hashlib.sha256(jar).hexdigest()}\n"


if __name__ == "__main__":
    main()
