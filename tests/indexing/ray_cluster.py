"""A Ray cluster on loopback, for tests: two machines that encode, and one that does not.

Writes its address to standard error. Each line on standard input kills one of the two; its end ends
all. It wants a network of its own, for its ports are always the same.
"""

from __future__ import annotations

import sys
from typing import Any

from ray.cluster_utils import Cluster

# Ray waits for its agents to start, though not for long, unless it is told their ports.
_PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "dashboard_agent_listen_port",
    "runtime_env_agent_port",
)


def machine(number: int) -> dict[str, Any]:
    ports = range(20_000 + 10 * number, 20_010 + 10 * number)
    return {
        "node_ip_address": "127.0.0.1",
        "num_cpus": min(number, 1),
        "object_store_memory": 80 * 2**20,
        "include_dashboard": False,
        **dict(zip(_PORTS, ports, strict=False)),
    }


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=machine(0))
    machines = [cluster.add_node(**machine(number)) for number in (1, 2)]
    sys.stderr.write(f"{cluster.address}\n")
    sys.stderr.flush()
    for _ in sys.stdin:
        cluster.remove_node(machines.pop(), allow_graceful=False)
    cluster.shutdown()


if __name__ == "__main__":
    main()
