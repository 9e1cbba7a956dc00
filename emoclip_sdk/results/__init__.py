"""What a user gets back: plain records at the bottom, `Timeline` and its analysis above them."""
