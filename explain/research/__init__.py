"""How good each method of explanation is: needs the extra [train]; nothing that serves imports it."""
