"""What this service counts. Labels are channels and words of closed sets, never chats or people."""

from kit.metrics import counter, gauge, histogram

RECEIVED = counter(
    "channel_messages_received_total",
    "Requests and updates of providers, by what became of them.",
    ("channel", "outcome"),
)
SENT = counter("channel_messages_sent_total", "Deliveries, by what became of them.", ("channel", "lane", "outcome"))
FILES = counter("channel_files_total", "Files that people sent, by what became of them.", ("channel", "outcome"))
PROVIDER_SECONDS = histogram("channel_provider_seconds", "Seconds of one send call to a provider.", ("channel",))
IN_FLIGHT = gauge("channel_deliveries_in_flight", "Deliveries between the in-flight report and the answer.", ("lane",))
ACCOUNTS = gauge("channel_accounts", "Configured accounts, by state (starting, ready, failing).", ("channel", "state"))
POLLING = gauge("channel_polling_leases_held", "Accounts whose updates this process fetches.", ("channel",))
