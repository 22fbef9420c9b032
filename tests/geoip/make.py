"""Makes places.mmdb and numbers.mmdb. In a virtual environment: pip install mmdb-writer; python make.py"""

from netaddr import IPSet
from mmdb_writer import MMDBWriter


def place(country, code, city=None):
    record = {"country": {"iso_code": code, "names": {"en": country}}}
    if city:
        record["city"] = {"names": {"en": city}}
    return record


places = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City", description="Made for tests")
places.insert_network(IPSet(["192.0.2.0/24"]), place("Germany", "DE", "Berlin"))
places.insert_network(IPSet(["198.51.100.0/24"]), place("Japan", "JP"))
places.insert_network(IPSet(["2001:db8:1::/48"]), place("Brazil", "BR", "Recife"))
places.to_db_file("places.mmdb")

numbers = MMDBWriter(ip_version=4, database_type="Test-ASN", description="Made for tests")
numbers.insert_network(IPSet(["192.0.2.0/24"]), {"autonomous_system_number": 64496})
numbers.to_db_file("numbers.mmdb")
