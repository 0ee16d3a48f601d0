"""A studio on scikit-learn's digits, and a server of it in a thread."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tritgrad.host.live.studio import Studio, without
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import Watcher, open_learner


def made_studio(left_out=("3",), **given):
    """A studio on the golden model, not trained yet."""
    options = TrainOptions(**{"hidden": (64,), "epochs": 20, "device": "model"} | given)
    data = options.load_data()
    if left_out:
        data = without(data, left_out)
    return Studio(options, data, open_learner(options, options.recipe(data), Watcher()))


@contextmanager
def served(studio, begin=False):
    """The page's address while it is served."""
    server_module = pytest.importorskip("tritgrad.host.live.server", exc_type=ImportError)
    address = server_module.bound("127.0.0.1", 0, False)
    server = server_module.server_of(studio, begin=begin)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [address]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{address.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        address.close()


def asked(url, given=None, **headers):
    """Status and body of a request; what is given makes it a POST."""
    data = None if given is None else json.dumps(given).encode()
    head = ({} if data is None else {"Content-Type": "application/json"}) | {
        name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, head)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def trained():
    studio = made_studio()
    studio.train()
    assert studio.failure is None
    yield studio
    studio.close()
