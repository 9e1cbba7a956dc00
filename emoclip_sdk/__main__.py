"""``python -m emoclip_sdk`` is ``emoclip``."""

from .cli import main

if __name__ == "__main__":
    main()
