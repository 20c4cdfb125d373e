"""The CDS Hooks service: hooks in, explained cards out."""
