"""Let ``python -m reportgen`` do what the ``reportgen`` command does."""

from reportgen.cli import main

if __name__ == "__main__":
    main()
