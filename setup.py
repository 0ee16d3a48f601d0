"""The folders at the root are the sub-packages of `tritgrad`; all else is in pyproject.toml."""

import os
import re
import subprocess
from pathlib import Path

from setuptools import find_packages, setup

#: Folders at the root that are installed as ``tritgrad.FOLDER``.
FOLDERS = ("boards", "firmware", "host", "hw", "model", "sim", "units")

ROOT = Path(__file__).resolve().parent


def released() -> str:
    """The newest release in CHANGELOG.md."""
    return re.findall(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[0]


def tagged() -> bool:
    """Whether git knows a release that this tree comes from."""
    try:
        return subprocess.run(["git", "describe", "--tags", "--match", "v*"], cwd=ROOT,
                              capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if not tagged():  # an archive, or a clone without tags
    os.environ.setdefault("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_TRITGRAD", released())

setup(
    packages=find_packages(include=["tritgrad", "tritgrad.*"]) + [
        f"tritgrad.{package}"
        for folder in FOLDERS
        for package in [folder, *(f"{folder}.{inner}" for inner in find_packages(folder))]],
    package_dir={f"tritgrad.{folder}": folder for folder in FOLDERS},
)
