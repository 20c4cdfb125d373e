"""The paper's table on any folder of films: every compared system trained on the same cases, judged on the same."""
