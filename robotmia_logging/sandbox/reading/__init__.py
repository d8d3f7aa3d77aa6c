"""What the sandbox shows, to programs as JSON and to people as a page, and how it is controlled."""
