"""``python -m flowengine``: the command line without the console script."""

from flowengine.cli import main

if __name__ == "__main__":
    main()
