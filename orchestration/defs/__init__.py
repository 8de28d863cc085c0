"""The asset graph, one module per room of the house."""
