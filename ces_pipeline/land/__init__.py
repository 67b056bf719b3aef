"""Landing: a delivery becomes pseudonymised, day-split raw files, once."""
