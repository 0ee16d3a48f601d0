"""ProgramGrad's demo of a search whose scoring is learned: a binary tree of depth two.

At each node the better child is taken by ``a_weight * a + b_weight * b - cost_weight * cost``.
The weights are learned so that the search ends at the leaf worth 3.2.
Run: ``python examples/tiny_tree_search.py``; it writes the picture tree_search_trace.svg into the
folder it is run in.
"""

from dataclasses import dataclass

from tritgrad.sources.programgrad import (
    Tensor,
    TraceContext,
    format_hard_soft_table,
    format_temperature_table,
    hard_data,
    hard_soft_rows,
    soft_only_region,
    soft_select,
    temperature_sensitivity,
    trace,
    training_mode,
)

TARGET, TAU, STEPS, LEARNING_RATE, START = 3.2, 0.65, 80, 0.05, 0.1
NAMES = ("a_weight", "b_weight", "cost_weight")


@dataclass(frozen=True)
class Node:
    """A leaf with a value, or two children; and the features by which it is chosen."""

    name: str
    a: float
    b: float
    cost: float
    value: float = 0.0
    children: tuple["Node", ...] = ()


TREE = Node("root", 0, 0, 0, children=(
    Node("left", 0.7, 0.2, 0.1, children=(
        Node("left-left", 0.2, 0.6, 0.2, 1.0), Node("left-right", 0.9, 0.3, 0.4, 2.5))),
    Node("right", 0.3, 0.9, 0.2, children=(
        Node("right-left", 0.4, 0.7, 0.1, 3.2), Node("right-right", 0.1, 0.2, 0.1, 0.5)))))


def score(node: Node, weights: tuple[Tensor, ...]) -> Tensor:
    """How good a node looks."""
    a, b, cost = weights
    return a * node.a + b * node.b - cost * node.cost


def search(node: Node, weights: tuple[Tensor, ...], tau: float = TAU) -> Tensor:
    """The value at the end of the search below a node."""
    if not node.children:
        return Tensor(node.value, name=node.name)
    scores = [score(child, weights) for child in node.children]
    best = max(range(len(scores)), key=lambda k: hard_data(scores[k]))
    values = []
    for k, child in enumerate(node.children):
        if k == best:
            values.append(search(child, weights, tau))
        else:
            with soft_only_region():
                values.append(search(child, weights, tau))
    return soft_select(values, scores, tau=tau,
                       candidate_names=[child.name for child in node.children])


def parameters(values: tuple[float, ...]) -> tuple[Tensor, ...]:
    """Weights that can be learned."""
    return tuple(Tensor(value, requires_grad=True, name=name)
                 for name, value in zip(NAMES, values, strict=True))


def learn() -> tuple[tuple[Tensor, ...], list[float]]:
    """The weights after the last step, and the soft loss before each step."""
    weights, losses = parameters((START,) * 3), []
    with training_mode():
        for _ in range(STEPS):
            loss = (search(TREE, weights) - TARGET) ** 2
            loss.backward()
            losses.append(loss.item())
            for weight in weights:
                weight.data -= LEARNING_RATE * weight.grad
    return weights, losses


def explain(weights: tuple[Tensor, ...], tau: float = TAU) -> tuple[Tensor, TraceContext]:
    """What a search finds, and its trace."""
    with trace(relaxation="softmax_select") as made:
        out = search(TREE, weights, tau)
    return out, made


def main() -> None:
    """Learn, and print what came of it."""
    before = hard_data(search(TREE, parameters((START,) * 3)))
    weights, losses = learn()
    after, made = explain(weights)
    learned = ", ".join(f"{weight.name} {weight.item():.4f}" for weight in weights)
    print(f"{learned}; hard value {before:.4f} -> {hard_data(after):.4f}, "
          f"soft loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    print(made.show())
    print(format_hard_soft_table(hard_soft_rows(made, target=TARGET)))
    print(format_temperature_table(temperature_sensitivity(
        lambda tau: explain(weights, tau), [0.25, 0.5, 0.65, 1.0], target=TARGET)))
    print(f"wrote {made.export_svg('tree_search_trace.svg')}")


if __name__ == "__main__":
    main()
