"""The report: a self-contained HTML page per week, month or quarter, and its figures on the terminal.

`facts` reads the published file (and is the only module here that does), `words` holds every word in every language,
`figures` draws SVG, `page` puts a page together, `files` writes the pages of a home, `summary` says the same in a
few lines of text. Nothing here computes a figure: `sql/report/` selects what the marts have.
"""
