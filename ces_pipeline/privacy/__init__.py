"""Privacy: which columns hold people, the keyed hash that replaces a person, and the redaction of free text."""
