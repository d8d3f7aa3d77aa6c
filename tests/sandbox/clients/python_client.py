"""All that the PyPI package mixpanel 4.1.0 can do, sent to the sandbox whose URL is the argument."""

import sys
from datetime import datetime

import mixpanel


def main(url: str) -> None:
    urls = {"events_url": f"{url}/track", "people_url": f"{url}/engage", "import_url": f"{url}/import/"}
    consumer = mixpanel.Consumer(**urls)
    buffered = mixpanel.BufferedConsumer(**urls)
    # alias() opens a consumer of its own, towards the internet: it is to have ours.
    mixpanel.Consumer = lambda: consumer

    client = mixpanel.Mixpanel("a token", consumer)
    client.track("13793", "Signed Up", {"plan": "pro", "name": "Zoë ~~>>??", "joined": datetime(2013, 4, 1, 13, 20)})
    client.import_data("an api key", "13793", "Invited", 1245613885.9, {"by": "a friend"})
    client.alias("zoe@example.com", "13793")
    client.track("zoe@example.com", "Logged In")

    client.people_set("zoe@example.com", {"$name": "Zoë", "Joined": datetime(2013, 4, 1, 13, 20), "gone": 1})
    client.people_set_once("13793", {"plan": "pro", "gone": 2}, meta={"$ip": "203.0.113.9"})
    client.people_increment("13793", {"logins": 2, "credits": -0.5})
    client.people_append("13793", {"visited": "home"})
    client.people_union("13793", {"colours": ["red", "red", "blue"]})
    client.people_update({"$distinct_id": "13793", "$remove": {"colours": "red"}}, meta={"$ignore_time": True})
    client.people_unset("13793", ["gone"])
    client.people_track_charge("13793", 25.34, {"$time": "2013-01-03T09:00:00", "sku": "a"})
    client.people_track_charge("13793", 4)
    client.people_track_charge("cleared", 9)
    client.people_clear_charges("cleared")
    client.people_set("deleted", {"a": 1})
    client.people_delete("deleted")

    in_batches = mixpanel.Mixpanel("a token", buffered)
    for number in range(120):
        in_batches.track("batched", "Step", {"number": number})
        in_batches.people_increment("batched", {"steps": 1})
    buffered.flush()


main(sys.argv[1])
