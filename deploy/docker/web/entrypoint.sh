#!/bin/sh
# Fill in nginx's configuration below /tmp, the only place that is written to, and become nginx.
set -eu

fail() {
  echo "$*" >&2
  exit 78 # EX_CONFIG: starting again will not help
}

: "${GATEWAY_UPSTREAM:?names the gateway as host:port}"
case $GATEWAY_UPSTREAM in
  *[!A-Za-z0-9.:_-]* | *:*:* | :* | *:) fail "GATEWAY_UPSTREAM=$GATEWAY_UPSTREAM is not host:port" ;;
  *:*) ;;
  *) fail "GATEWAY_UPSTREAM=$GATEWAY_UPSTREAM lacks a port" ;;
esac

# nginx asks name servers itself, and knows nothing of search domains: a plain Service name gets its namespace's here.
host=${GATEWAY_UPSTREAM%:*}
search=$(awk '$1 == "search" { print $2; exit }' /etc/resolv.conf)
case $host.$search in
  *.*.svc.*) case $host in *.*) ;; *) GATEWAY_UPSTREAM=$host.$search:${GATEWAY_UPSTREAM##*:} ;; esac ;;
esac

if [ -z "${RESOLVER:-}" ]; then
  RESOLVER=$(awk '$1 == "nameserver" { print ($2 ~ /:/ ? "[" $2 "]" : $2) }' /etc/resolv.conf | tr '\n' ' ')
fi
[ -n "$RESOLVER" ] || fail "/etc/resolv.conf names no name server: set RESOLVER"
export GATEWAY_UPSTREAM RESOLVER HTTP_PORT="${HTTP_PORT:-8080}" WORKER_PROCESSES="${WORKER_PROCESSES:-2}" \
  DRAIN_SECONDS="${DRAIN_SECONDS:-20}"

mkdir -p /tmp/nginx
for template in nginx.conf gateway.conf; do
  envsubst "\$GATEWAY_UPSTREAM \$RESOLVER \$HTTP_PORT \$WORKER_PROCESSES \$DRAIN_SECONDS" \
    <"/etc/nginx/coaching/$template.template" >"/tmp/nginx/$template"
done
exec nginx -c /tmp/nginx/nginx.conf -g 'daemon off;' "$@"
