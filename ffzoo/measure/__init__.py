"""What is measured beside accuracy: locality, memory, speed."""
