"""Print the source files below a folder that importing a module loads: `loaded.py MODULE FOLDER`."""

import importlib
import sys

importlib.import_module(sys.argv[1])
files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
sys.stdout.write(
    "".join(f"{file}\n" for file in sorted(files) if file.startswith(sys.argv[2]) and file.endswith(".py"))
)
