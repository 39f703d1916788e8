"""What a build of a board ends with: its figures, and the page that shows them."""
