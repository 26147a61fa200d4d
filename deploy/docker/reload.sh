#!/bin/sh
# Run the service, and start it anew when a source of it has changed.
exec env PYTHONPATH=/opt/reloader /opt/venv/bin/python -P /app/reload.py /app/src /app/entrypoint.sh "$@"
