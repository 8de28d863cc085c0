"""Which entry of the register a row means when it carries a name, an address or an old code instead of the key."""
