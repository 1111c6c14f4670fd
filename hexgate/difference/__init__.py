"""Two policies side by side: calls that they decide differently, each found and confirmed by running both."""
