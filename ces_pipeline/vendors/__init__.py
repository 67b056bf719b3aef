"""One folder per vendor: its reader, connector, write-back, fake server and README.

A vendor is found through the entry-point group `ces_pipeline.vendors`; no code outside its folder names it.
"""
