"""The example district: three invented worlds of landed files and the truth about them."""
