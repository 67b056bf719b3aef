"""Protects the installed package: what the wheel carries works without the checkout."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel. The libraries it needs are borrowed from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=True)
    (own,) = (folder / "lib").glob("python*/site-packages")
    # A path file is not followed further, so the editable install of this environment stays out.
    (own / "borrowed.pth").write_text(f"{Path(numpy.__file__).parents[1]}\n")
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=300)
    return folder / "bin"


def run(bin_folder: Path, elsewhere: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CES_", "PYTHON"))
    }
    return subprocess.run(
        [bin_folder / words[0], *words[1:]],
        cwd=elsewhere,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def test_the_wheel_carries_every_query_and_the_starter_registry(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = [*ROOT.glob("sql/*/*.sql"), *ROOT.glob("data/registry/*.yaml")]
    assert len(shipped) > 10
    for path in shipped:
        inside = str(path.relative_to(ROOT)).replace("data/", "")
        assert f"ces_pipeline/_shipped/{inside}" in names
    assert not [name for name in names if "ces_pipeline_tests" in name or name.endswith(".pyc")]


def test_the_package_is_the_installed_one(bin_folder: Path, tmp_path: Path) -> None:
    ran = run(bin_folder, tmp_path, "python", "-c", "import ces_pipeline; print(ces_pipeline.__file__)")
    assert Path(ran.stdout.strip()).is_relative_to(bin_folder.parent), ran.stderr


def test_a_home_and_the_demo_are_made_without_the_checkout(bin_folder: Path, tmp_path: Path) -> None:
    made = run(bin_folder, tmp_path, "ces", "init", "own", "--with-sample")
    assert made.returncode == 0, made.stderr
    own = {path.name: path.read_bytes() for path in (tmp_path / "own" / "registry").iterdir()}
    assert own == {path.name: path.read_bytes() for path in (ROOT / "data" / "registry").glob("*.yaml")}
    done = run(bin_folder, tmp_path, "ces", "demo")
    assert done.returncode == 0, done.stderr
    assert "every number is as expected" in done.stdout
    assert (tmp_path / "data" / "demo" / "warehouse" / "ces.duckdb").is_file()
