"""Evidence behind a prediction: heat map, marked words, contributions, narrative and page."""
