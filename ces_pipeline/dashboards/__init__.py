"""What other tools show: metrics for Prometheus, tables for PostgreSQL and BI tools, boards for Grafana.

Everything here reads the published file and writes copies of it elsewhere. No figure is computed.
"""
