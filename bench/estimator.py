"""GridSearchCV over hidden sizes of the estimator: two threads against one, the same scores."""

import argparse
import json
import time
from pathlib import Path

import _mnist
from joblib import parallel_config
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score

from tritgrad import TernaryClassifier

RESULT = Path(__file__).parent / "results" / "estimator.json"
SIZES = [(64,), (128,), (192,), (256,)]


def search(threads: int) -> tuple[float, list[float]]:
    """Seconds of wall time, and the scores."""
    x, y = load_digits(return_X_y=True)
    grid = GridSearchCV(TernaryClassifier(encode="planes", epochs=30),
                        {"hidden_layer_sizes": SIZES}, cv=3, refit=False)
    began = time.perf_counter()
    with parallel_config("threading", n_jobs=threads):
        grid.fit(x, y)
    return time.perf_counter() - began, grid.cv_results_["mean_test_score"].tolist()


def main() -> None:
    """Print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", metavar="N", type=int, default=3,
                        help="pairs of searches, of which the best ratio counts "
                             "(default: %(default)s)")
    parser.add_argument("--output", metavar="FILE", type=Path, default=RESULT,
                        help="JSON file to write (default: %(default)s)")
    options = parser.parse_args()
    iris = cross_val_score(TernaryClassifier(), *load_iris(return_X_y=True))
    print(f"iris, 5-fold, by defaults: {100 * iris.mean():.1f} %")
    search(1)  # compiles
    pairs = []
    for _ in range(options.repeat):
        (serial, scores), (threads, same) = search(1), search(2)
        assert scores == same
        pairs.append((serial, threads))
        print(f"serial {serial:.1f} s, two threads {threads:.1f} s: {serial / threads:.2f} times")
    results = {
        "machine": _mnist.machine(), "iris, %": round(100 * float(iris.mean()), 1),
        "scores by hidden size": dict(zip(map(str, SIZES), scores, strict=True)),
        "serial / two threads": [round(serial / threads, 2) for serial, threads in pairs],
        "seconds": [[round(s, 1) for s in pair] for pair in pairs]}
    options.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
