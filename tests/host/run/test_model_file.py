import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.codings.coding import Coding
from tritgrad.host.data.scaling import Scaling
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.model.recipe import Recipe


def make_model(layers: tuple[int, ...] = (6, 5, 3), bits: int = 8, seed: int = 0,
               **more: Any) -> TrainedModel:
    rng = np.random.default_rng(seed)
    half = 1 << (bits - 1)
    fields: dict[str, Any] = {
        "recipe": Recipe(layers, bits, 4, 4, (-1,) * (len(layers) - 1), (1,) * (len(layers) - 2),
                         margin=16, epochs=20, seed=1),
        "rule": "margin",
        "counters": tuple(rng.integers(-half, half, (n, f), np.int16)
                          for f, n in zip(layers, layers[1:], strict=False)),
        "class_names": tuple(f"c{k}" for k in range(layers[-1])),
        "coding": Coding.plain(
            Scaling(rng.normal(size=layers[0]), rng.normal(size=layers[0]) + 5), 4),
        "dataset": "wine.csv", "extras": {"best_epoch": 7, "note": None},
    }
    return TrainedModel(**{**fields, **more})


def tampered(path: Path, **changes: Any) -> None:
    """Rewrite a model file with other arrays, or other entries of its JSON."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    meta = json.loads(arrays["tritgrad_model"].tobytes())
    for name, value in changes.items():
        if name in arrays:
            arrays[name] = value
        elif name in meta["recipe"]:
            meta["recipe"][name] = value
        elif value is KeyError:
            del meta[name]
        else:
            meta[name] = value
    arrays["tritgrad_model"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(path, **arrays)


def test_round_trip(tmp_path: Path) -> None:
    model = make_model((6, 5, 4, 3), image_shape=(2, 3), columns=tuple("abcdef"))
    path = tmp_path / "model.npz"
    model.save(path)
    again = TrainedModel.load(path)
    for name in ("recipe", "rule", "class_names", "dataset", "image_shape", "columns", "extras",
                 "version", "state_sha256"):
        assert getattr(again, name) == getattr(model, name), name
    for ours, theirs in zip(model.counters, again.counters, strict=True):
        assert theirs.dtype == np.int16 and (ours == theirs).all()
    fitted, found = (m.coding.stored()[1] for m in (model, again))
    assert fitted.keys() == found.keys()
    assert all((fitted[name] == found[name]).all() for name in fitted)
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_same_model_same_bytes(tmp_path: Path) -> None:
    make_model().save(tmp_path / "a.npz")
    make_model().save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_trits_are_the_top_two_bits() -> None:
    model = make_model((2, 4), counters=(np.array(
        [[64, 63], [-64, -65], [127, -128], [0, -1]], np.int16),))
    assert model.trits()[0].tolist() == [[1, 0], [0, -1], [1, -1], [0, 0]]
    assert model.trits()[0].dtype == np.int8


def test_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    make_model().save(path)
    before = path.read_bytes()
    with pytest.raises(BadInput, match=r"^a model keeps JSON types only: "):
        make_model(extras={"x": np.int64(3)}).save(path)
    assert path.read_bytes() == before
    with pytest.raises(BadInput, match=r"^cannot write .*: No such file"):
        make_model().save(tmp_path / "no" / "model.npz")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match=r"^cannot write .*folder"):
        make_model().save(tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "model.npz"]


def test_changed_counter_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    model = make_model()
    model.save(path)
    other = model.counters[1].copy()
    other[0, 0] ^= 1
    tampered(path, counters_2=other)
    with pytest.raises(BadInput, match=r"is damaged: its counters hash to [0-9a-f]{64}, not to"):
        TrainedModel.load(path)


@pytest.mark.parametrize("change, message", [
    ({"format": 3}, r"is a model file of format 3 \(tritgrad .*\); this version reads formats 1"),
    ({"format": KeyError}, r"is a damaged tritgrad model \(KeyError: 'format'\)$"),
    ({"rule": KeyError}, r"is a damaged tritgrad model \(KeyError: 'rule'\)$"),
    ({"recipe": {"x": 1}}, r"is a damaged tritgrad model \(TypeError: "),
    ({"recipe": 7}, r"is a damaged tritgrad model \(TypeError: "),
    ({"margin": "x"}, r": margin must be an integer from 1 to \d+, not 'x'$"),
    ({"layers": 7}, r": layers must be "),
    ({"layers": [6, 5, 4, 3], "gains": [0] * 3, "shifts": [0] * 2},
     r"is a damaged tritgrad model \(KeyError: "),
    ({"layers": [7, 5, 3]}, r": a model's coding must be for 7 inputs, not 6$"),
    ({"counter_bits": 7}, r": a model's counters of layer 1 must be in -64 to 63, not \("),
    ({"class_names": ["a"]}, r": a model's class_names must be 3 names, not \('a',\)$"),
    ({"counters_1": np.zeros((5, 6))}, r"of the shape \(5, 6\), not \('float64', \(5, 6\)\)$"),
    ({"counters_1": np.zeros((6, 5), np.int16)}, r"must be int16 of the shape \(5, 6\), not"),
    ({"scaling_minimum": np.full(6, np.nan)}, r": a scaling needs finite numbers"),
    ({"scaling_minimum": np.array(["x"] * 6)}, r"is a damaged tritgrad model"),
])
def test_foreign_or_tampered_contents(tmp_path: Path, change: dict[str, Any],
                                      message: str) -> None:
    path = tmp_path / "model.npz"
    make_model().save(path)
    tampered(path, **change)
    with pytest.raises(BadInput, match=message) as caught:
        TrainedModel.load(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content, message", [
    (b"", r"is no \.npz file"), (b"hello", r"is no \.npz file"), (b"PK\x03\x04xx", r"is no \.npz"),
])
def test_no_archive(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        TrainedModel.load(path)


def test_missing_folder_and_foreign_archive(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no\.npz does not exist$"):
        TrainedModel.load(tmp_path / "no.npz")
    with pytest.raises(BadInput, match=r"is a folder, not a file$"):
        TrainedModel.load(tmp_path)
    np.savez(tmp_path / "data.npz", x=np.zeros(3))
    with pytest.raises(BadInput, match=r"data\.npz is no tritgrad model$"):
        TrainedModel.load(tmp_path / "data.npz")


def test_every_truncation_and_many_flips_are_refused_or_harmless(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    model = make_model()
    model.save(good)
    content = good.read_bytes()
    rng = np.random.default_rng(5)
    bad = tmp_path / "bad.npz"
    for cut in range(0, len(content), 97):
        bad.write_bytes(content[:cut])
        with pytest.raises(BadInput):
            TrainedModel.load(bad)
    for _ in range(300):
        flipped = bytearray(content)
        flipped[rng.integers(len(flipped))] ^= 1 << rng.integers(8)
        bad.write_bytes(flipped)
        try:
            again = TrainedModel.load(bad)
        except BadInput as error:
            assert "\n" not in str(error)
        else:
            assert again.state_sha256 == model.state_sha256
