"""The estimator: scikit-learn's own checks, and the same bits as the command."""

import pickle
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from tritgrad import TernaryClassifier, Watcher
from tritgrad.errors import BadInput
from tritgrad.host.api.options import NAMES
from tritgrad.host.data.splits import split
from tritgrad.host.run.learners import ModelLearner
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.report import as_model
from tritgrad.host.run.running import begun, planned
from tritgrad.model.config import CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving

IRIS = load_iris(return_X_y=True)


def small(**changes):
    return TernaryClassifier(**{"hidden_layer_sizes": 8, "epochs": 3, "encode": "signed"} | changes)


def blobs(seed=1, rows=120, features=6, classes=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    return rng.normal(size=(rows, features)) + 3 * np.eye(classes, features)[y], y


def test_all_checks_of_scikit_learn_pass():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipping check check_array_api_input")
        found = check_estimator(TernaryClassifier())
    assert {check["status"] for check in found} <= {"passed", "skipped"}
    assert len(found) > 50


def test_iris_by_defaults():
    assert cross_val_score(TernaryClassifier(), *IRIS).mean() >= 0.95


@pytest.mark.parametrize("changes", [
    {}, {"encode": None}, {"encode": None, "planes": 3}, {"counter_bits": 10, "margin": 5},
    {"scales": True}, {"skip": 1, "hidden_layer_sizes": (7, 7)}, {"balance": True},
    {"rule": "spsa", "epochs": 1, "encode": "planes"},
])
def test_the_command_ends_in_the_same_bits(tmp_path, changes):
    """From the same rows in a file, by the same options under their own names."""
    x, y = blobs()
    np.savez(tmp_path / "rows.npz", x_train=x, y_train=y, x_test=x[:5], y_test=y[:5])
    made = small(**changes).fit(x, y)
    given = made.get_params()
    options = {option: given[name] for name, option in NAMES.items()}
    options["hidden"] = options["hidden"] if isinstance(options["hidden"], tuple) else (8,)
    if options["encode"] is None and options["planes"] is None:
        options["encode"] = "auto"
    run = TrainOptions(**options, dataset=str(tmp_path / "rows.npz"))
    trainer = begun(planned(run, run.load_data(), Watcher()), tmp_path, Watcher())
    outcome = trainer.run()
    assert made.model_.state_sha256 == outcome.state_sha256
    assert [e["updates"] for e in made.history_] == [e.updates for e in outcome.position.epochs]


def test_devices_end_in_the_same_bits():
    x, y = blobs(rows=40)
    found = [small(device=device, lanes=4, banks=2, epochs=1).fit(x, y) for device in
             ("model", "sim")]
    assert found[0].model_.state_sha256 == found[1].model_.state_sha256
    for one in found:
        one.partial_fit(x[:9], y[:9])
    assert found[0].model_.state_sha256 == found[1].model_.state_sha256
    assert found[1].history_[-1]["cycles"] > 0
    assert (found[0].predict(x) == found[1].predict(x)).all()


def test_a_board_keeps_the_rows_of_fit(tmp_path):
    x, y = blobs(rows=40)
    found = small(epochs=2, order="rotate").fit(x, y)
    recipe = found.model_.recipe
    board = ModelBoard(CoreConfig.for_network(recipe.layers, recipe.planes, lanes=4, banks=2,
                                              update_lanes=4, store=1, store_bits=12))
    fill, filled = board.core.store.fill, []
    board.core.store.fill = lambda *given: (filled.append(1), fill(*given))
    with serving(board, tmp_path) as port:
        for store in "off", "auto":
            other = small(epochs=2, order="rotate", device=f"@{port.link}", store=store).fit(x, y)
            assert bool(filled) == (store == "auto")
            assert other.model_.state_sha256 == found.model_.state_sha256
            other.partial_fit(x[:9], y[:9])
    assert other.model_.state_sha256 == found.partial_fit(x[:9], y[:9]).model_.state_sha256


@pytest.mark.parametrize("changes", [
    {}, {"scales": True, "order": "file"},
    {"rule": "sign", "vote": 8, "encode": "planes"}, {"encode": None},
    {"image_shape": (2, 3), "encode": "planes", "shift_augment": 1, "clean_epochs": 1},
])
def test_passes_one_by_one_are_a_fit(changes):
    x, y = blobs()
    whole = small(**changes).fit(x, y)
    step = small(**changes)
    for _ in range(3):
        step.partial_fit(x, y, classes=[0, 1, 2])
    assert step.model_.state_sha256 == whole.model_.state_sha256
    assert step.history_ == whole.history_
    assert step.n_iter_ == whole.n_iter_ == 3
    for one in whole, step:
        one.partial_fit(x[:9], y[:9])
    assert step.model_.state_sha256 == whole.model_.state_sha256


def test_out_of_a_pickle_or_a_file_it_goes_on_as_if_nothing_had_happened(tmp_path):
    x, y = blobs()
    names = np.array(["b", "a", "c"])[y]
    made = small(encode=None, planes=2).fit(x, names)
    made.save(tmp_path / "m.npz")
    found = [made, pickle.loads(pickle.dumps(made)), TernaryClassifier.load(tmp_path / "m.npz")]
    assert found[2].get_params() == made.get_params() | {"hidden_layer_sizes": (8,)}
    before, history = made.decision_function(x), list(made.history_)
    for one in found:
        assert (one.decision_function(x) == before).all()
        assert one.history_ == history
        one.partial_fit(x, names)
    assert len({one.model_.state_sha256 for one in found}) == 1
    assert found[2].predict(x[:1]).dtype.kind == "U"


@pytest.mark.parametrize("labels", [
    [0, 1], [-3, 700], [0.0, 2.0], [False, True], ["no", "yes"], np.array([3, 9], np.uint8)])
def test_labels_keep_their_type_in_a_file(tmp_path, labels):
    x, y = blobs(classes=2)
    made = small().fit(x, np.array(labels)[y])
    made.save(tmp_path / "m.npz")
    again = TernaryClassifier.load(tmp_path / "m.npz")
    assert again.classes_.tolist() == made.classes_.tolist()
    assert again.classes_.dtype.kind == made.classes_.dtype.kind


def test_a_model_of_the_command_is_an_estimator(tmp_path):
    options = TrainOptions(hidden=(8,), epochs=1, device="model", limit=100)
    data = options.load_data()
    outcome = begun(planned(options, data, Watcher()), tmp_path, Watcher()).run()
    as_model(outcome).save(tmp_path / "m.npz")
    made = TernaryClassifier.load(tmp_path / "m.npz")
    x, _ = load_digits(return_X_y=True)
    assert made.classes_.tolist() == list(range(10))
    known = TrainedModel.load(tmp_path / "m.npz")
    network = FastNetwork(known.recipe)
    network.load(known.counters, 1)
    assert (made.predict(x) == network.predict(known.coding.apply(x))).all()


def test_names_of_columns():
    x, y = blobs()
    frame = pd.DataFrame(x, columns=list("abcdef"))
    made = small().fit(frame, y)
    assert made.feature_names_in_.tolist() == list("abcdef") == list(made.model_.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        made.predict(frame[list("bacdef")])


def test_pipelines_grids_in_threads_and_calibration():
    x, y = blobs()
    grid = GridSearchCV(make_pipeline(StandardScaler(), small()),
                        {"ternaryclassifier__hidden_layer_sizes": [(4,), (8,), np.int64(12)]}, cv=3)
    serial = clone(grid).fit(x, y)
    with parallel_config("threading", n_jobs=3):
        threads = clone(grid).fit(x, y)
    assert (threads.cv_results_["mean_test_score"] == serial.cv_results_["mean_test_score"]).all()
    chances = CalibratedClassifierCV(small(), cv=2).fit(x, y).predict_proba(x)
    assert np.allclose(chances.sum(axis=1), 1)


def test_optuna_searches_in_threads_as_one_by_one():
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x, y = load_iris(return_X_y=True)

    def right(trial):
        network = small(hidden_layer_sizes=(trial.suggest_int("hidden", 4, 16),),
                        counter_bits=trial.suggest_categorical("counter_bits", [6, 8, 10]))
        return cross_val_score(network, x, y, cv=2).mean()

    asked = [{"hidden": hidden, "counter_bits": bits} for hidden in (4, 16) for bits in (6, 8)]
    found = []
    for threads in (1, 2):
        study = optuna.create_study(direction="maximize")
        for params in asked:
            study.enqueue_trial(params)
        study.optimize(right, n_trials=len(asked), n_jobs=threads)
        found.append({(t.params["hidden"], t.params["counter_bits"]): t.value
                      for t in study.trials})
    assert found[0] == found[1] and len(found[0]) == len(asked)
    assert study.best_value == max(found[0].values())


def test_a_program_of_the_users_own(tmp_path):
    x, y = load_iris(return_X_y=True)
    path = tmp_path / "margin.asm"
    path.write_text("COUNT samples\nnext: RECV\nFWD 1..last\nERR margin\nSKIP done\n"
                    "BWD last..2\nUPD 1..last\ndone: LOOP next\nHALT\n")
    ours = small(program=str(path), epochs=2).fit(x, y)
    assert ours.model_.state_sha256 == small(epochs=2).fit(x, y).model_.state_sha256
    with pytest.raises(BadInput, match="^--program .*none.asm: No such file or directory$"):
        small(program=str(tmp_path / "none.asm")).fit(x, y)


def test_no_probabilities_and_no_weights_are_made_up():
    x, y = blobs()
    assert not hasattr(small(), "predict_proba")
    for learn in small().fit, small().partial_fit:
        with pytest.raises(TypeError, match="sample_weight is not supported: the core learns every"
                                            " sample alike. Repeat rows"):
            learn(x, y, sample_weight=np.ones(len(y)))
        with pytest.raises(TypeError, match="there is no argument 'epoch'"):
            learn(x, y, epoch=3)


def test_the_best_epoch_on_rows_held_back_is_kept():
    x, y = blobs(rows=200)
    x += np.random.default_rng(3).normal(size=x.shape)
    made = small(epochs=6, validation_fraction=0.3, random_state=5).fit(x, y)
    found = [epoch["val_accuracy"] for epoch in made.history_]
    assert found.index(max(found)) < 5
    _, held = split(200, 0.3, "random", 0)
    assert 100 * made.score(x[held], y[held]) == pytest.approx(max(found))


class Counts(Watcher):
    def __init__(self):
        self.epochs = []

    def epoch_over(self, number, epochs, epoch):
        self.epochs.append((number, epochs, epoch.samples))


def test_a_watcher_is_told_of_each_epoch_and_is_shared_by_clones():
    x, y = blobs()
    watcher = Counts()
    clone(small(watcher=watcher)).fit(x, y)
    assert watcher.epochs == [(1, 3, 120), (2, 3, 120), (3, 3, 120)]


def test_random_states():
    x, y = blobs()
    found = {state: small(random_state=state).fit(x, y).model_.state_sha256 for state in (1, 2)}
    assert found[1] != found[2]
    np.random.seed(5)
    one = small(random_state=None).fit(x, y).model_.recipe.seed
    np.random.seed(5)
    assert small(random_state=None).fit(x, y).model_.recipe.seed == one
    assert small(random_state=np.random.RandomState(5)).fit(x, y).model_.recipe.seed == one


@pytest.mark.parametrize(("changes", "message"), [
    ({"hidden_layer_sizes": "8"}, "hidden_layer_sizes must be integers, not '8'"),
    ({"hidden_layer_sizes": [8.0]}, r"hidden_layer_sizes must be integers, not \(8.0,\)"),
    ({"counter_bits": 8.5}, "counter_bits must be an integer from 6 to 14, not 8.5"),
    ({"device": "fpga"}, "device must be sim, model, BOARD@PORT or @PORT, not 'fpga'"),
    ({"image_shape": (2, 2)}, r"image_shape must be rows and columns of the 6 features, not \(2,"),
    ({"planes": 2}, "--planes 2 goes without --encode signed"),
])
def test_refused(changes, message):
    with pytest.raises(BadInput, match=message):
        small(**changes).fit(*blobs())


def test_row_sums_are_compared_after_each_pass(monkeypatch):
    x, y = blobs()
    acts = []
    monkeypatch.setattr(ModelLearner, "act", lambda self, *act: acts.append(act))
    for gf3, count in ("check", 2), (None, 0):
        acts.clear()
        one = small(gf3=gf3)
        for _ in range(2):
            one.partial_fit(x, y, classes=[0, 1, 2])
        assert acts == [("scrub",)] * count


def test_one_class_too_many_and_none():
    x, y = blobs()
    with pytest.raises(ValueError, match="y has 1 class; a network has from 2 to 256"):
        small().fit(x, y * 0)
    with pytest.raises(ValueError, match="y has 257 classes"):
        small().fit(np.zeros((771, 2)), np.arange(771) % 257)
    with pytest.raises(NotFittedError):
        small().predict(x)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        small().partial_fit(x, y)
    with pytest.raises(ValueError, match=r"none of the classes: \[2\]"):
        small().partial_fit(x, y, classes=[0, 1])
    with pytest.raises(BadInput, match="prune goes by a plan of all epochs"):
        small(prune=(40, 1)).partial_fit(x, y, classes=[0, 1, 2])


def test_importing_tritgrad_loads_neither_scikit_learn_nor_numba():
    code = ("import sys, tritgrad; assert 'TernaryClassifier' in dir(tritgrad); "
            "print(sorted({'sklearn', 'numba', 'numpy', 'click'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_parameter_is_an_option_or_its_own():
    params = TernaryClassifier().get_params()
    assert set(params) == {*NAMES, "image_shape", "watcher"}
    assert replace(TrainOptions(), device="model") == TrainOptions(**{
        option: params[name] for name, option in NAMES.items()})
