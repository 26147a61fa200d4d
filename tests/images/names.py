"""The images of the platform, by what they are; test_recipes.py holds the list to the folders."""

SERVERS = ("gateway", "coaching", "channel-adapter", "llm-inference", "vector-search")
PYTHON = (*SERVERS, "platformctl")
EVERY = (*PYTHON, "web", "models")
