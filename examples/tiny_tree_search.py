"""ProgramGrad's demo of a search whose scoring is learned: a binary tree of depth two.

At each node the better child is taken by ``a_weight * a + b_weight * b - cost_weight * cost``.
The weights are learned so that the search ends at the leaf worth 3.2.
Run: ``python examples/tiny_tree_search.py``.
"""

from dataclasses import dataclass

from tritgrad.model.soft import Tensor, TraceContext, soft_select, trace

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


def search(node: Node, weights: tuple[Tensor, ...]) -> Tensor:
    """The value at the end of the search below a node."""
    if not node.children:
        return Tensor(node.value, name=node.name)
    return soft_select([search(child, weights) for child in node.children],
                       [score(child, weights) for child in node.children], tau=TAU,
                       candidate_names=[child.name for child in node.children])


def parameters(values: tuple[float, ...]) -> tuple[Tensor, ...]:
    """Weights that can be learned."""
    return tuple(Tensor(value, requires_grad=True, name=name)
                 for name, value in zip(NAMES, values, strict=True))


def learn() -> tuple[tuple[Tensor, ...], list[float]]:
    """The weights after the last step, and the soft loss before each step."""
    weights, losses = parameters((START,) * 3), []
    for _ in range(STEPS):
        loss = (search(TREE, weights) - TARGET) ** 2.0
        loss.backward()
        losses.append(loss.item())
        weights = parameters(tuple(
            (weight.data - LEARNING_RATE * weight.grad).item() for weight in weights))
    return weights, losses


def explain(weights: tuple[Tensor, ...]) -> TraceContext:
    """The trace of a search."""
    with trace(relaxation="softmax") as made:
        search(TREE, weights)
    return made


def main() -> None:
    """Learn, and print what came of it."""
    before = search(TREE, parameters((START,) * 3)).hard_data()
    weights, losses = learn()
    after = search(TREE, weights).hard_data()
    learned = ", ".join(f"{weight.name} {weight.item():.4f}" for weight in weights)
    print(f"{learned}; hard value {float(before):.4f} -> {float(after):.4f}, "
          f"soft loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    explain(weights).show()


if __name__ == "__main__":
    main()
