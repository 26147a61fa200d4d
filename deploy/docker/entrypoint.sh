#!/bin/sh
# Become the service. -P: what lies in the working folder is never imported.
exec /opt/venv/bin/python -P -m "$SERVICE_MODULE" "$@"
