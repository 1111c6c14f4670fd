"""What both engines share: who asks, what is answered, and the table of possible outcomes. Depends on no engine."""
