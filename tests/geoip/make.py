"""Makes places.mmdb and numbers.mmdb. In a virtual environment: pip install mmdb-writer; python make.py"""

from netaddr import IPSet
from mmdb_writer import MMDBWriter


def place(country, code, city=None, at=None, radius=None, traits=None):
    record = {"country": {"iso_code": code, "names": {"en": country}}}
    if city:
        record["city"] = {"names": {"en": city}}
    if at:
        record["location"] = {"latitude": at[0], "longitude": at[1]}
        if radius:
            record["location"]["accuracy_radius"] = radius
    if traits:
        record["traits"] = traits
    return record


places = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City", description="Made for tests")
places.insert_network(IPSet(["192.0.2.0/24"]), place("Germany", "DE", "Berlin", (52.5244, 13.4105), 20))
places.insert_network(IPSet(["198.51.100.0/24"]), place("Japan", "JP", None, (35.69, 139.69)))
places.insert_network(IPSet(["2001:db8:1::/48"]), place("Brazil", "BR", "Recife"))
places.insert_network(IPSet(["203.0.113.0/25"]), place("Japan", "JP", "Tokyo", (35.6895, 139.6917), 20))
places.insert_network(IPSet(["203.0.113.128/25"]), place("United States", "US", "Ashburn", (39.0437, -77.4875), 20, {"user_type": "hosting"}))
places.to_db_file("places.mmdb")

numbers = MMDBWriter(ip_version=4, database_type="Test-ASN", description="Made for tests")
numbers.insert_network(IPSet(["192.0.2.0/24"]), {"autonomous_system_number": 64496})
numbers.to_db_file("numbers.mmdb")
