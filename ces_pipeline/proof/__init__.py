"""The nightly proof that the checks ran: rows that break each rule, schema and check are caught on the side.

Every publish needs it. Poisoned rows go through the code that judges, validates and checks real rows, in memory: the
lake and the published file are not touched, and no row is a person's. The poison of a rule is in its file, that of a
check in `sql/poison/`, that of a schema follows from the schema.
"""
