"""Packs a directory into an executable archive: pack.py DIRECTORY OUTPUT.

Unlike the standard zipapp module it gives the same bytes for the same files:
their order and times are fixed. A new OUTPUT takes the place of an old one at
once, so that a host that starts meanwhile finds one of the two.
"""

import os
import pathlib
import sys
import zipfile

# -I: neither PYTHON* variables nor a home's own packages decide what runs.
INTERPRETER = b"#!/usr/bin/python3 -I\n"


def pack(directory: pathlib.Path, output: pathlib.Path) -> None:
    """Writes the archive of every file below the directory."""
    unfinished = output.with_name(output.name + ".new")
    with open(unfinished, "wb") as file:
        file.write(INTERPRETER)
        with zipfile.ZipFile(file, "w") as archive:
            for path in sorted(directory.rglob("*")):
                # Directories too: Python finds packages without __init__.py by them.
                name = path.relative_to(directory).as_posix() + ("/" if path.is_dir() else "")
                entry = zipfile.ZipInfo(name)  # of 1980-01-01
                entry.external_attr = (0o40755 if path.is_dir() else 0o100644) << 16
                archive.writestr(entry, b"" if path.is_dir() else path.read_bytes())
    os.chmod(unfinished, 0o755)
    os.replace(unfinished, output)


if __name__ == "__main__":
    pack(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
