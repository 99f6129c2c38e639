"""What is fast, not what is learned."""
