"""The metrics of this service beside those of the kit; labels come from closed sets."""

from kit.metrics import counter, gauge, histogram

WAITING = gauge("llm_queue_waiting", "Completions that wait for the model.")
RUNNING = gauge("llm_running", "Completions in progress at the model.")
REFUSED = counter("llm_refused_total", "Completions that ended without a finish, by reason.", ("reason",))
FIRST_TOKEN_SECONDS = histogram(
    "llm_first_token_seconds", "Seconds from asking the model to its first token.", ("provider",)
)
PROMPT_TOKENS = counter("llm_prompt_tokens_total", "Tokens of prompts.", ("provider",))
CACHED_TOKENS = counter("llm_cached_prompt_tokens_total", "Tokens of prompts that were not computed.", ("provider",))
GENERATED_TOKENS = counter("llm_generated_tokens_total", "Tokens generated.", ("provider",))
