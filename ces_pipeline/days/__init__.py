"""Days: which are stale, what each is cleaned from, and the work of reading, cleaning and writing one."""
