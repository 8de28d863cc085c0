"""Example inputs that anyone can run. Generators and data only; the product never imports from here."""
