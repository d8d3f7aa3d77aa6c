"""What an import costs, in a fresh process: `python -m benchmarks.importing MODULE...` prints a line of JSON."""

import sys
import time

start = time.perf_counter()
for module in sys.argv[1:]:
    __import__(module)
took_ms = (time.perf_counter() - start) * 1000

import json  # noqa: E402  (what the modules import must not be there before)

from benchmarks.resident import resident_bytes  # noqa: E402

print(json.dumps({"import_ms": took_ms, "resident_mib": resident_bytes() / 2**20}))
