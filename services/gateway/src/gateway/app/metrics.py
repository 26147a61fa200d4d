"""The gateway's own metrics; those of every service are in kit.metrics."""

from kit.metrics import counter, gauge

RATE_LIMITED = counter("gateway_rate_limited_total", "Requests and messages refused by a rate limit.", ("budget",))
LIMITER_FALLBACKS = counter(
    "gateway_rate_limiter_fallbacks_total", "Checks made by this process alone because Redis did not answer."
)
CHAT_SOCKETS = gauge("gateway_chat_sockets", "Chat sockets that are open.")
CHAT_CLOSED = counter("gateway_chat_closed_total", "Chat sockets that the gateway closed.", ("code",))
WEBHOOKS_BUSY = counter("gateway_webhooks_busy_total", "Webhook requests refused because too many were in progress.")
