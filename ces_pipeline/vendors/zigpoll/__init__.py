"""Zigpoll: responses by webhook or API, and the view counters of its polls."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.zigpoll.connector import Zigpoll
from ces_pipeline.vendors.zigpoll.counters_connector import ZigpollCounters
from ces_pipeline.vendors.zigpoll.reader import ZIGPOLL_JSON

VENDOR = Vendor("zigpoll", "Zigpoll", readers=(ZIGPOLL_JSON,), connectors=(Zigpoll(), ZigpollCounters()))
