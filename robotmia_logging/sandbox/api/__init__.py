"""robotmia's three endpoints: a request becomes checked messages with warnings, and an answer."""
