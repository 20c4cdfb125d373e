"""What must be remembered: jobs, results, pages, cards, feedback, audit. SQLite or PostgreSQL, by URL."""
