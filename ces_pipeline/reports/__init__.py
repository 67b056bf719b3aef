"""What a person reads at a terminal: plain functions over the published file and the lake. No Dagster, no printing."""
