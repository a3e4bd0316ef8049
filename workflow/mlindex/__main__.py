"""``python -m mlindex``: the command."""

from mlindex.apps.main import main

if __name__ == "__main__":
    main()
