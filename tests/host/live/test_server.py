import base64
import json
import socket

import pytest

from tritgrad.errors import BadInput

from ..command import refusal
from .conftest import asked, made_studio, served

EMPTY = base64.b64encode(bytes(64 * 64)).decode()


def test_what_the_page_asks_for(trained):
    with served(trained) as page:
        status, body = asked(page + "/")
        assert status == 200 and b"<h1>tritgrad live</h1>" in body
        for name in ("live.js", "pad.js", "charts.js", "weights.js", "live.css", "icon.svg"):
            status, body = asked(f"{page}/static/{name}")
            assert status == 200 and b"//" not in body.replace(b"http://www.w3.org", b"").replace(
                b"// ", b""), name  # nothing is loaded from elsewhere
        status, body = asked(page + "/api/look", {"drawing": EMPTY})
        assert status == 200 and len(json.loads(body)["scores"]) == 10
        status, body = asked(page + "/api/teach", {"drawing": EMPTY, "label": 3, "step": 0,
                                                   "old": 16})
        assert status == 200 and json.loads(body)["lessons"] == 1
        assert json.loads(asked(page + "/api/undo", {})[1])["lessons"] == 0
        layers = json.loads(asked(page + "/api/weights", {})[1])["layers"]
        assert [(layer["outputs"], layer["inputs"], layer["shape"]) for layer in layers] == [
            (64, 64, [8, 8]), (10, 64, None)]
        assert asked(page + "/model.npz")[1][:2] == b"PK"


@pytest.mark.parametrize(("name", "given", "message"), [
    ("look", {}, "drawing must be 4096 bytes in base64"),
    ("look", {"drawing": "a b"}, "drawing must be 4096 bytes in base64"),
    ("teach", {"drawing": EMPTY, "label": True}, "label must be an integer, not True"),
    ("teach", {"drawing": EMPTY, "label": 3, "step": 0}, "old must be an integer, not None"),
    ("undo", {}, "there is nothing to undo"),
    ("dance", {}, "there is no 'dance' to ask for"),
    ("undo", [], "a request must be a JSON object"),
    ("undo", "x" * 70000, "a request must have at most 65536 bytes"),
])
def test_requests_that_are_refused(trained, name, given, message):
    with served(trained) as page:
        status, body = asked(f"{page}/api/{name}", given)
    assert (status, json.loads(body)) == (400, {"error": message})


def test_there_is_nothing_to_ask_before_a_training():
    studio = made_studio(epochs=1)
    with served(studio) as page:
        assert json.loads(asked(page + "/api/standing", {})[1]) == {
            "error": "there is no network yet; train one first"}
    studio.close()


@pytest.mark.parametrize("headers", [
    {"Origin": "http://example.org"}, {"Origin": "null"}, {"Host": "example.org"},
    {"Host": "example.org:80"}, {"Sec_Fetch_Site": "cross-site"},
    {"Content_Type": "text/plain"}, {"Content_Type": "application/x-www-form-urlencoded"}])
def test_other_pages_are_kept_out(trained, headers):
    with served(trained) as page:
        assert asked(page + "/api/undo", {}, **headers)[0] == 403
        if "Content_Type" not in headers:
            assert asked(page + "/", **headers)[0] == 403
        assert asked(page + "/api/undo", {}, Origin=page)[0] == 400  # let in, nothing to undo


def test_a_port_that_is_taken_gives_way_to_another():
    from tritgrad.host.live.server import bound
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"^cannot listen on 127.0.0.1 port {port}: "):
            bound("127.0.0.1", port, False)
        with bound("127.0.0.1", port, True) as other:
            assert other.getsockname()[1] not in (0, port)
    with pytest.raises(BadInput, match="^port must be from 0 to 65535, not 65536$"):
        bound("127.0.0.1", 65536, True)


def test_options_that_go_without_a_model(tmp_path):
    assert refusal("live", tmp_path / "model.npz", "--epochs", "3") == (
        "--epochs goes without MODEL; leave one away")
    assert refusal("live", "--without", "x") == (
        "--without must name classes of digits (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), not 'x'")
