"""What an import costs, in a fresh process: `python -m benchmarks.importing CONTESTANT MODULE...`, a line of JSON.

And what it costs until the first log call can be made: a library may leave imports to that.
"""

import sys
import time

start = time.perf_counter()
for module in sys.argv[2:]:
    __import__(module)
imported_s = time.perf_counter() - start

import json  # noqa: E402  (what the modules import must not be there before)

from benchmarks.contestants import CONTESTANTS  # noqa: E402
from benchmarks.resident import resident_bytes  # noqa: E402

contestant = CONTESTANTS[sys.argv[1]]
resident = resident_bytes()
start = time.perf_counter()
if contestant.sends:
    contestant().setup("http://127.0.0.1:9")  # the discard port; nothing is logged
ready_s = imported_s + time.perf_counter() - start

print(json.dumps({"import_ms": imported_s * 1e3, "ready_ms": ready_s * 1e3, "resident_mib": resident / 2**20}))
