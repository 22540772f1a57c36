"""``python -m sidecar.devorg``: serve a fresh org on loopback."""

import argparse
from pathlib import Path

from sidecar.devorg.org import DAILY_LIMIT
from sidecar.devorg.serve import INFO_FILE, serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m sidecar.devorg",
        description="Serve a small Salesforce on 127.0.0.1, for tests and the demo.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--dir", type=Path, required=True, help=f"for keys and {INFO_FILE}"
    )
    parser.add_argument("--speed", type=float, default=1.0, help="of the org's clock")
    parser.add_argument("--plain", action="store_true", help="http instead of https")
    parser.add_argument("--daily-limit", type=int, default=DAILY_LIMIT)
    parser.add_argument("--seed", type=int, help="of the org's ids")
    given = parser.parse_args()
    serve(
        port=given.port,
        directory=given.dir,
        speed=given.speed,
        plain=given.plain,
        daily_limit=given.daily_limit,
        seed=given.seed,
    )


if __name__ == "__main__":
    main()
