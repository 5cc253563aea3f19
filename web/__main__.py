"""``python -m web``: the server without the console script."""

import sys

from flowengine.errors import FlowEngineError
from web.commands import serve_app

if __name__ == "__main__":
    try:
        serve_app()
    except FlowEngineError as error:
        sys.exit(f"error: {error}")
