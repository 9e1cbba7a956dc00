"""`python -m benchmarks` is `emoclip bench`."""

import sys

from emoclip_sdk.cli import main

sys.argv.insert(1, "bench")
main()
