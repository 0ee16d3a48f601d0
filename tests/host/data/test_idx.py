import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data import idx
from tritgrad.host.data.datasets import load
from tritgrad.host.data.features import read_features
from tritgrad.host.data.idx import load_idx, read_idx
from tritgrad.host.data.idx_names import FILES, HASHES, MIRRORS


def idx_bytes(values: np.ndarray) -> bytes:
    values = np.asarray(values, np.uint8)
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + \
        values.tobytes()


def write_set(folder: Path, train: int = 9, test: int = 4, size: tuple[int, int] = (3, 2),
              packed: bool = True, seed: int = 0) -> list[np.ndarray]:
    """The four files in `folder`, with random images and labels that take turns."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    arrays = []
    for i, file in enumerate(FILES):
        count = train if i < 2 else test
        values = rng.integers(0, 256, (count, *size)) if i % 2 == 0 else np.arange(count) % 10
        arrays.append(values)
        content = idx_bytes(values)
        name = file + ".gz" if packed else file
        (folder / name).write_bytes(gzip.compress(content) if packed else content)
    return arrays


@pytest.fixture(autouse=True)
def no_folders_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITGRAD_DATA", raising=False)
    monkeypatch.setenv("TRITGRAD_CACHE", str(tmp_path / "cache"))

    def offline(url: str, known: str, folder: Path) -> Path:
        raise ConnectionError("no network")

    monkeypatch.setattr(idx, "fetch", offline)


@pytest.mark.parametrize("packed", [False, True])
def test_reads_what_was_written(tmp_path: Path, packed: bool) -> None:
    arrays = write_set(tmp_path, packed=packed)
    found = load_idx("mnist", tmp_path)
    for ours, theirs in zip((found.x_train, found.y_train, found.x_test, found.y_test), arrays,
                            strict=True):
        assert (ours == theirs).all()
    assert found.x_train.dtype == np.uint8 and found.y_test.dtype == np.int64


def test_packing_is_told_by_content_and_dotted_names_are_known(tmp_path: Path) -> None:
    arrays = write_set(tmp_path, packed=False)
    first = tmp_path / FILES[0]
    first.write_bytes(gzip.compress(first.read_bytes()))
    (tmp_path / FILES[3]).rename(tmp_path / "t10k-labels.idx1-ubyte")
    assert (load_idx("mnist", tmp_path).x_train == arrays[0]).all()


def test_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path / "given", train=11)
    write_set(tmp_path / "data" / "mnist", train=12)
    write_set(tmp_path / "cache" / "mnist", train=13)
    assert len(load_idx("mnist").x_train) == 13
    monkeypatch.setenv("TRITGRAD_DATA", str(tmp_path / "data"))
    assert len(load_idx("mnist").x_train) == 12
    assert len(load_idx("mnist", tmp_path / "given").x_train) == 11
    (tmp_path / "data" / "mnist" / (FILES[1] + ".gz")).unlink()
    assert len(load_idx("mnist").x_train) == 13


def test_given_folder_must_be_complete(tmp_path: Path) -> None:
    write_set(tmp_path / "cache" / "mnist")
    write_set(tmp_path / "given")
    (tmp_path / "given" / (FILES[1] + ".gz")).unlink()
    with pytest.raises(BadInput, match=r"^data folder .*given lacks train-labels-idx1-ubyte "
                                       r"\(\.gz or not\)$"):
        load_idx("mnist", tmp_path / "given")
    with pytest.raises(BadInput, match=r"^data folder .*no does not exist$"):
        load_idx("mnist", tmp_path / "no")


def test_without_network_the_error_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load("fashion-mnist")
    assert str(caught.value) == (
        "fashion-mnist is not on this machine and could not be downloaded (ConnectionError): put "
        "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
        f"t10k-labels-idx1-ubyte (.gz or not) into {tmp_path / 'cache' / 'fashion-mnist'} or into "
        "a folder given as --data-dir")


def test_only_missing_files_are_downloaded_from_the_first_mirror_that_has_them(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path / "web")
    folder = tmp_path / "cache" / "mnist"
    write_set(folder)
    (folder / (FILES[2] + ".gz")).unlink()
    asked = []

    def download(url: str, known: str, folder: Path) -> Path:
        asked.append((url, known))
        if url.startswith(MIRRORS["mnist"][0]):
            raise ValueError("hash of downloaded file does not match")
        return tmp_path / "web" / url.rsplit("/", 1)[1]

    monkeypatch.setattr(idx, "fetch", download)
    load_idx("mnist")
    assert asked == [(mirror + FILES[2] + ".gz", HASHES["mnist"][2]) for mirror in MIRRORS["mnist"]]


def test_downloads_check_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    import pooch

    def write(url: str, output: str, _pooch: object) -> None:
        Path(output).write_bytes(b"not what was published")

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda *_, **__: write)
    url = "https://example.org/mnist/train-images-idx3-ubyte.gz"
    with pytest.raises(ValueError, match="hash"):
        idx.fetch(url, HASHES["mnist"][0], tmp_path)
    assert list(tmp_path.iterdir()) == []
    good = hashlib.sha256(b"not what was published").hexdigest()
    assert idx.fetch(url, good, tmp_path).read_bytes() == b"not what was published"


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images"
    content = idx_bytes(np.arange(24).reshape(4, 3, 2))
    for whole in (content, gzip.compress(content)):
        for cut in range(len(whole)):
            path.write_bytes(whole[:cut])
            with pytest.raises(BadInput) as caught:
                read_idx(path, 3)
            assert "\n" not in str(caught.value)


def test_wrong_contents(tmp_path: Path) -> None:
    path = tmp_path / "images"
    content = idx_bytes(np.arange(24).reshape(4, 3, 2))
    path.write_bytes(content + b"x")
    with pytest.raises(BadInput, match=r"images has 41 bytes; its shape \(4, 3, 2\) needs 40$"):
        read_idx(path, 3)
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"no IDX file with 1 axes: it starts with "
                                       r"00000803, not 00000801$"):
        read_idx(path, 1)
    path.write_bytes(b"<html>")
    with pytest.raises(BadInput, match="starts with 3c68746d, not 00000803"):
        read_idx(path, 3)
    path.write_bytes(bytes((0, 0, 8, 3)) + b"\xff" * 12)
    with pytest.raises(BadInput, match="has 16 bytes; its shape .4294967295, "):
        read_idx(path, 3)
    with pytest.raises(BadInput, match="cannot read .*none: No such file"):
        read_idx(tmp_path / "none", 3)


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    write_set(tmp_path)
    labels = tmp_path / (FILES[3] + ".gz")
    labels.write_bytes(idx_bytes(np.zeros(5)))
    with pytest.raises(BadInput, match="holds 4 images, the file of labels beside it 5 labels"):
        load_idx("mnist", tmp_path)
    labels.write_bytes(idx_bytes(np.zeros(4)))
    (tmp_path / (FILES[2] + ".gz")).write_bytes(idx_bytes(np.zeros((4, 2, 3))))
    with pytest.raises(BadInput, match=r"of the sizes \(3, 2\) and \(2, 3\)$"):
        load_idx("mnist", tmp_path)
    (tmp_path / (FILES[2] + ".gz")).write_bytes(idx_bytes(np.zeros((0, 3, 2))))
    with pytest.raises(BadInput, match="holds no images"):
        load_idx("mnist", tmp_path)


@pytest.mark.parametrize("planes", [None, 1, 3, 8])
def test_pixels_are_shifted(tmp_path: Path, planes: int | None) -> None:
    images, _, test_images, _ = write_set(tmp_path, train=20)
    data = load("fashion-mnist", data_dir=tmp_path, planes=planes)
    drop = 8 - (planes or 1)
    assert (data.x_train == images.reshape(20, 6) >> drop).all()
    assert (data.x_test == test_images.reshape(4, 6) >> drop).all()
    assert data.image_shape == (3, 2) and data.planes == (planes or 1)
    assert data.class_names[:2] == ("T-shirt/top", "Trouser") and data.classes == 10
    assert data.y_train.tolist() == [i % 10 for i in range(20)]


def test_classes_are_those_that_occur(tmp_path: Path) -> None:
    write_set(tmp_path, train=3, test=2)
    (tmp_path / (FILES[1] + ".gz")).write_bytes(idx_bytes(np.array([7, 11, 1])))
    with pytest.raises(BadInput, match="has the label '0' in 1 test rows and in no training row"):
        load("mnist", data_dir=tmp_path)
    (tmp_path / (FILES[3] + ".gz")).write_bytes(idx_bytes(np.array([1, 11])))
    data = load("mnist", data_dir=tmp_path)
    assert data.class_names == ("1", "7", "11")
    assert data.y_train.tolist() == [1, 2, 0] and data.y_test.tolist() == [0, 2]


def test_real_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    folder = Path(os.environ.get("TRITGRAD_DATA", "")) / "mnist"
    if "TRITGRAD_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("TRITGRAD_DATA names no folder with MNIST")
    data = load("mnist", limit=3)
    assert data.y_train.tolist() == [5, 0, 4]
    assert np.bincount(data.y_test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.x_train.shape == (3, 784) and data.class_names == tuple("0123456789")


def typed(kind: int, values: np.ndarray) -> bytes:
    return bytes((0, 0, kind, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + \
        values.tobytes()


@pytest.mark.parametrize("kind, dtype", [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4")])
def test_labels_and_pixels_of_other_integers(tmp_path: Path, kind: int, dtype: str) -> None:
    images, _, _, _ = write_set(tmp_path)
    small = images % 100
    (tmp_path / (FILES[0] + ".gz")).write_bytes(typed(kind, small.astype(dtype)))
    (tmp_path / (FILES[1] + ".gz")).write_bytes(typed(kind, np.arange(9).astype(dtype)))
    found = load_idx("mnist", tmp_path)
    assert found.x_train.dtype == np.uint8 and (found.x_train == small).all()
    assert found.y_train.tolist() == list(range(9))


def test_parts_of_one_become_bytes_and_other_pixels_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path)
    first = tmp_path / (FILES[0] + ".gz")
    images = np.linspace(0, 1, 9 * 6).reshape(9, 3, 2)
    for kind, dtype in ((13, ">f4"), (14, ">f8")):
        first.write_bytes(typed(kind, images.astype(dtype)))
        wanted = np.floor(255 * images.astype(dtype).astype(float) + 0.5)
        assert (load_idx("mnist", tmp_path).x_train == wanted).all()
    for bad, message in ((images * 300, "pixels must be from 0 to 255, not 0 to 300"),
                         (images * 2, "pixels must be whole numbers, or all from 0 to 1"),
                         (images - 1, "pixels must be from 0 to 255, not -1 to 0")):
        first.write_bytes(typed(14, bad.astype(">f8")))
        with pytest.raises(BadInput, match=message):
            load_idx("mnist", tmp_path)


def test_labels_that_are_rows_or_no_classes(tmp_path: Path) -> None:
    write_set(tmp_path)
    labels = tmp_path / (FILES[1] + ".gz")
    rows = np.arange(72).reshape(9, 8).astype(">i4")
    rows[:, 0] = np.arange(9)
    labels.write_bytes(typed(12, rows))
    found = load_idx("qmnist", tmp_path)
    assert found.y_train.tolist() == list(range(9))
    assert found.notes == ("of the labels the first number of each row is the class",)
    labels.write_bytes(typed(12, np.full(9, 256).astype(">i4")))
    with pytest.raises(BadInput, match="labels must be whole numbers from 0 to 255, not 256 to"):
        load_idx("mnist", tmp_path)
    labels.write_bytes(typed(13, np.zeros(9).astype(">f4")))
    with pytest.raises(BadInput, match="labels must be whole numbers"):
        load_idx("mnist", tmp_path)


def renamed(folder: Path, name: str) -> None:
    """The files called as another set calls them, ``test`` for ``t10k``."""
    for file in FILES:
        (folder / (file + ".gz")).rename(folder / f"{name}-{file.replace('t10k', 'test')}.gz")


def test_emnist_is_told_by_its_files_and_turned(tmp_path: Path) -> None:
    images, _, test_images, _ = write_set(tmp_path)
    for part in (1, 3):
        count = 9 if part == 1 else 4
        (tmp_path / (FILES[part] + ".gz")).write_bytes(idx_bytes(1 + np.arange(count)))
    renamed(tmp_path, "emnist-letters")
    for name in ("mnist", "emnist-letters"):
        data = load(name, data_dir=tmp_path, planes=8)
        assert (data.x_train == images.transpose(0, 2, 1).reshape(9, 6)).all()
        assert (data.x_test == test_images.transpose(0, 2, 1).reshape(4, 6)).all()
        assert data.class_names == tuple("ABCDEFGHI") and data.image_shape == (2, 3)
        assert data.name == "emnist-letters"
        assert data.summary.notes == ("images of emnist-letters are turned upright",)
    path = tmp_path / f"emnist-letters-{FILES[0]}.gz"
    found = read_features(path)
    assert (found.values == images.transpose(0, 2, 1).reshape(9, 6)).all()


def test_several_sets_in_a_folder(tmp_path: Path) -> None:
    for name, seed in (("emnist-balanced", 1), ("emnist-digits", 2)):
        wanted = write_set(tmp_path, seed=seed)
        renamed(tmp_path, name)
    found = load_idx("emnist-digits", tmp_path)
    assert (found.x_train == wanted[0].transpose(0, 2, 1)).all()
    with pytest.raises(BadInput, match="holds the data sets emnist-balanced, emnist-digits; mnist "
                                       "is none of them"):
        load_idx("mnist", tmp_path)
    wanted = write_set(tmp_path, seed=3)
    assert (load_idx("mnist", tmp_path).x_train == wanted[0]).all()


def test_nested_folders_are_looked_into(tmp_path: Path) -> None:
    wanted = write_set(tmp_path / "plain", packed=False)
    for file in FILES:  # as an archive of one of the mirrors has them
        (tmp_path / "kaggle" / file).mkdir(parents=True)
        (tmp_path / "kaggle" / file / file).write_bytes((tmp_path / "plain" / file).read_bytes())
    write_set(tmp_path / "torch" / "MNIST" / "raw")
    for folder in ("kaggle", "torch"):
        assert (load_idx("mnist", tmp_path / folder).x_train == wanted[0]).all()
    with pytest.raises(BadInput, match=r"lacks train-images.* and t10k-labels-idx1-ubyte \(\.gz"):
        (tmp_path / "empty").mkdir()
        load_idx("mnist", tmp_path / "empty")
    with pytest.raises(BadInput, match="is a file$"):
        load_idx("mnist", tmp_path / "plain" / FILES[0])


def test_sets_without_a_known_hash_are_not_downloaded(tmp_path: Path) -> None:
    for name in ("kmnist", "qmnist", "emnist-letters"):
        with pytest.raises(BadInput, match=f"^{name} is not on this machine: put its four IDX "):
            load(name)
