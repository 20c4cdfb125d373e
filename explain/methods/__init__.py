"""Ways of finding out what an answer stands on, each checked by running the model again."""
