"""Cases in which one known patch, phrase or measurement decides -> whether explanations point at it."""
