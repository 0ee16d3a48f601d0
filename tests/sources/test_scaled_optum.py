"""ScaledOptum's program, run as written under its own name with PyTorch, and both forms alike."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.scales.groups import GroupScales
from tritgrad.sources.scaled_optum import numpy_form, start

from .alias import alias

#: A training loop in PyTorch with the source's optimizer; the model is ours.
PROGRAM = '''
import torch
from scaled_optum import ScaledOptum, TernaryLinear

model = torch.nn.Sequential(TernaryLinear(12, 16), torch.nn.ReLU(), TernaryLinear(16, 3))
optimizer = ScaledOptum(model.parameters(), lr=0.3, default_group_size=32)
optimizer.add_ternary_modules([m for m in model.modules() if hasattr(m, "update_corr")])

def closure():
    optimizer.zero_grad()
    loss = ((model(x) - target) ** 2).mean()
    loss.backward()
    return loss

losses = [optimizer.step(closure).item() for _ in range(60)]
'''
GRADIENTS = np.array([[3, -2, 5, -1, 1, 1, -7, 0], [-1, -1, 0, 2, -4, 4, 1, -4],
                      [2, -2, 1, 1, 0, 0, 0, 0]])


@pytest.fixture
def torch():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, while it is imported
        return pytest.importorskip("torch")


def integers(state):
    return all(np.issubdtype(np.asarray(value).dtype, np.integer) for value in state.values())


def test_the_program_runs_as_written(torch):
    from tritgrad.sources import scaled_optum

    torch.manual_seed(1)
    x = torch.randn(64, 12)
    teacher = scaled_optum.TernaryLinear(12, 16, seed=1069), scaled_optum.TernaryLinear(
        16, 3, seed=1069)
    for layer in teacher:  # the model's trits, other scales
        layer.corr_accum.copy_(torch.randint(-900, 900, layer.corr_accum.shape))
        layer.step_counter.fill_(32)
    with torch.no_grad():
        names = {"x": x, "target": teacher[1](torch.relu(teacher[0](x)))}
    with alias(scaled_optum=scaled_optum):
        exec(PROGRAM, names)
    optimizer, losses = names["optimizer"], names["losses"]
    assert isinstance(optimizer, torch.optim.Optimizer) and optimizer.default_group_size == 32
    assert losses[-1] < 0.3 * losses[0]
    state = names["model"].state_dict()
    assert set(state) == {f"{k}.{name}" for k in (0, 2) for name in (
        "T_packed", "E", "corr_accum", "step_counter", "E_accum")}
    assert integers(state) and [state["0.E"].dtype, state["0.corr_accum"].dtype] == [
        torch.int8, torch.int64]
    assert state["0.step_counter"] == 60 and not optimizer.state_dict()["state"]


@pytest.mark.parametrize("options", [{}, {"track": True}, {"exponential": True},
                                     {"ascend": True}])
def test_both_forms_keep_the_same_integers(torch, options):
    from tritgrad.sources.scaled_optum.torch_form import TernaryLinear

    rng = np.random.default_rng(4)
    ours = numpy_form.TernaryLinear(7, 5, 4, seed=3, **options)  # a last group of 3
    theirs = TernaryLinear(7, 5, 4, seed=3, **options)
    for _ in range(40):
        gradient = rng.integers(-1, 2, (5, 7)) * rng.random((5, 7))
        ours.scales.grad = gradient
        theirs.weight_grad = torch.from_numpy(gradient)
        ours.update_corr()
        theirs.update_corr()
        state = theirs.state_dict()
        assert integers(state)
        for name, value in ours.state_dict().items():
            assert state[name].numpy().dtype == value.dtype and (state[name].numpy() == value).all()
        assert (theirs.effective_weight().numpy() == ours.effective_weight()).all()
    assert ours.scales.corr.any() and (theirs.trits().numpy() == ours.scales.trits).all()
    again = TernaryLinear(7, 5, 4, seed=9, **options)
    again.load_state_dict(theirs.state_dict())
    assert (again.effective_weight() == theirs.effective_weight()).all()
    assert again.group_scales().scales() == ours.scales.scales()
    with pytest.raises(BadInput, match="^scales must be of 5 x 7 trits in groups of 4, not of"):
        theirs.load_scales(GroupScales(np.ones((5, 7)), np.zeros(7), 5))


def test_backward_votes_are_the_batch_sums(torch):
    from tritgrad.sources.scaled_optum.torch_form import TernaryLinear

    layer, ours = TernaryLinear(6, 4, 8), numpy_form.TernaryLinear(6, 4, 8)
    x = torch.randn(10, 6, requires_grad=True)
    out = layer(x)
    grad = torch.randint(-3, 4, out.shape).float()
    for _ in range(2):  # gradients of several passes add up
        layer(x).backward(grad)
    assert torch.allclose(layer.weight_grad, 2 * grad.T @ x.detach(), atol=1e-5)
    assert np.allclose(ours(x.detach().numpy()), out.detach().numpy(), atol=1e-5)
    below = ours.backward(grad.numpy())
    assert np.allclose(2 * below, x.grad.numpy(), atol=1e-5)
    assert np.allclose(2 * ours.scales.grad, layer.weight_grad.numpy(), atol=1e-5)
    before = layer.corr_accum.clone()
    layer.weight_grad = torch.full((4, 6), float("nan"))
    with pytest.raises(BadInput, match="^gradient must be finite$"):
        layer.update_corr()
    assert (layer.corr_accum == before).all() and layer.step_counter == 0


def test_the_published_vectors(torch):
    from tritgrad.sources.scaled_optum.torch_form import TernaryLinear

    for ascend, corr in (True, [5, 3]), (False, [-5, -3]):
        layer = TernaryLinear(4, 2, 4, ascend=ascend)
        layer.load_scales(GroupScales([[1, -1, 0, 1], [-1, 1, 0, -1]], [0, -2], 4))
        for g in GRADIENTS:
            layer.weight_grad = torch.from_numpy(g.reshape(2, 4))
            layer.update_corr()
        assert layer.corr_accum.tolist() == corr and layer.E.tolist() == [0, -2]
        assert layer.group_factors().tolist() == pytest.approx(
            [17 / 12, 5 / 16] if ascend else [7 / 12, 3 / 16])
        layer.exponential = True
        if ascend:
            assert layer.group_factors().tolist() == pytest.approx([3.174802103936399, .5])


def test_the_optimizer_steps_plain_parameters_and_modules(torch):
    from tritgrad.sources.scaled_optum.torch_form import ScaledOptum, TernaryLinear

    class Counts:
        calls = 0

        def update_corr(self):
            self.calls += 1

    p = torch.nn.Parameter(torch.tensor([1.0, 1.0, 1.0]))
    q = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    still = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = ScaledOptum([{"params": [p, still]}, {"params": [q], "lr": 0.5}], lr=0.25)
    counts, layer = Counts(), TernaryLinear(3, 2)
    optimizer.add_ternary_modules([counts, layer])
    optimizer.add_ternary_modules([counts])
    p.grad = torch.tensor([5.0, 0.0, -0.1])
    q.grad = torch.sparse_coo_tensor(torch.tensor([[1, 1]]), torch.tensor([3.0, -1.0]), (2,),
                                     check_invariants=True)
    layer.weight_grad = torch.ones(2, 3)
    assert optimizer.step() is None
    assert p.tolist() == [0.75, 1.0, 1.25] and q.tolist() == [1.0, 0.5] and still.tolist() == [1.0]
    assert counts.calls == 2 == layer.step_counter  # once a group, as in the source
    assert layer.weight_grad is None and optimizer.step(lambda: 7.5) == 7.5
    assert layer.step_counter == 2  # a gradient is used once
    layer.weight_grad = torch.ones(2, 3)
    optimizer.zero_grad()
    assert layer.weight_grad is None
    again = ScaledOptum([{"params": [p, still]}, {"params": [q]}])
    again.load_state_dict(optimizer.state_dict())
    assert [group["lr"] for group in again.param_groups] == [0.25, 0.5]
    assert ScaledOptum(layer.parameters()).step() is None  # a model of ternary layers alone
    with pytest.raises(BadInput, match="^lr must be above 0, not 0$"):
        ScaledOptum([p], lr=0)


def test_a_float_layer_becomes_a_ternary_one(torch):
    from tritgrad.sources.scaled_optum.torch_form import TernaryLinear

    linear = torch.nn.Linear(20, 8, bias=False)
    layer = TernaryLinear.from_linear(linear, 16)
    w, made = linear.weight.detach(), layer.effective_weight()
    assert set(made.abs().log2().unique().frac().tolist()) <= {0.0} or (made == 0).any()
    assert ((w - made) ** 2).sum() < 0.5 * (w ** 2).sum()
    with pytest.raises(BadInput, match="^linear must have no bias"):
        TernaryLinear.from_linear(torch.nn.Linear(2, 2))


def test_rounding_by_groups():
    trits, exponents = start.rounded(np.array([[4.0, -4.0, 0.1, -3.9], [0.5, 0.0, -0.5, 0.0]]), 4)
    assert trits.tolist() == [[1, -1, 0, -1], [1, 0, -1, 0]] and exponents.tolist() == [2, -2]
    trits, exponents = start.rounded(np.array([[0.0, 0.0, 8.0]]), 2)
    assert trits.tolist() == [[0, 0, 1]] and exponents.tolist() == [0, 3]


def test_the_numpy_form_learns_scales_and_the_literal_sign_does_not():
    """A layer of fixed trits whose scales should be 0.75: the descent sign gets there."""
    rng = np.random.default_rng(2)
    x, found = rng.normal(size=(50, 8)), {}
    for ascend in False, True:
        layer = numpy_form.TernaryLinear(8, 2, 8, ascend=ascend)
        layer.scales.exponents[:] = 0
        target = 0.75 * x @ layer.scales.trits.T
        for _ in range(2000):
            layer.zero_grad()
            layer.backward(layer(x) - target)
            layer.update_corr()
        found[ascend] = [float(s) for s in layer.scales.scales()]
        assert integers(layer.state_dict())
    dense = np.abs(layer.scales.trits).sum(axis=1) / 8  # the most that a step can be
    assert found[False] == pytest.approx([0.75, 0.75], abs=0.02)
    assert found[True] == pytest.approx(1 + dense, abs=0.02)
    again = numpy_form.TernaryLinear(8, 2, 8, seed=4)
    again.load_state_dict(layer.state_dict())
    assert (again.effective_weight() == layer.effective_weight()).all()
    with pytest.raises(BadInput, match="^backward.. needs a forward pass before it$"):
        again.backward([1.0, 1.0])


def test_without_pytorch_there_are_the_numpy_forms():
    code = ("import sys; sys.modules['torch'] = None; import importlib.util as u; "
            "u.find_spec = lambda name, real=u.find_spec: None if name == 'torch' else real(name); "
            "from tritgrad.sources import scaled_optum as s; "
            "layer = s.TernaryLinear(3, 2); p = s.Parameter(layer([1.0, 1.0, 1.0])); "
            "o = s.ScaledOptum([p], lr=0.3, default_group_size=32); "
            "o.add_ternary_modules([layer]); "
            "layer.backward([1.0, 1.0]); o.step(); print(layer.scales.step, type(o).__module__)")
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True,
                          text=True)
    assert done.stdout == "1 tritgrad.model.scales.optimizer\n", done.stderr
