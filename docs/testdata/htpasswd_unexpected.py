"""Has a fault of the backend's meet the suspension of jeff, for as long as it lasts."""

import asyncio
import sys

from backend import files
from backend.directory import Directory

users, groups = sys.argv[1:]


def fails(*_):
    raise RuntimeError("unexpected")


async def main() -> None:
    directory = Directory(users, groups)
    await directory.open()
    right, files.read_accounts = files.read_accounts, fails
    with open(groups, "a") as file:
        file.write("suspended: jeff\n")
    for again in range(3):
        try:
            await directory.refresh()
        except RuntimeError:
            continue
        sys.exit(f"look {again} passes, with a version that was not understood")
    files.read_accounts = right
    if (await directory.refresh()).accounts["jeff"].enabled:
        sys.exit("jeff is not suspended")


asyncio.run(main())
