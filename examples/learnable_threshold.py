"""ProgramGrad's demo of a threshold that is learned through a branch.

The program returns 2x if x is above a threshold, else x squared. Its hard output has no slope in
the threshold; the relaxed branch has one. Run: ``python examples/learnable_threshold.py``.
"""

from tritgrad.model.soft import Tensor, TraceContext, soft_if, trace

X, TARGET, BETA = 0.7, 1.4, 6.0
STEPS, LEARNING_RATE, START = 60, 0.08, 1.35


def program(threshold: Tensor) -> Tensor:
    """2x above the threshold, x squared below."""
    x = Tensor(X, name="x")
    return soft_if(x - threshold, lambda: x * 2.0, lambda: x ** 2.0, beta=BETA)


def learn() -> tuple[Tensor, list[float]]:
    """The threshold after the last step, and the soft loss before each step."""
    threshold, losses = Tensor(START, requires_grad=True, name="threshold"), []
    for _ in range(STEPS):
        loss = (program(threshold) - TARGET) ** 2.0
        loss.backward()
        losses.append(loss.item())
        threshold = Tensor(threshold.data - LEARNING_RATE * threshold.grad, requires_grad=True,
                           name="threshold")
    return threshold, losses


def explain(threshold: Tensor) -> TraceContext:
    """The trace of the program with a threshold."""
    with trace() as made:
        program(threshold)
    return made


def main() -> None:
    """Learn, and print what came of it."""
    before = program(Tensor(START)).hard_data()
    threshold, losses = learn()
    after = program(threshold).hard_data()
    print(f"threshold {START} -> {threshold.item():.4f}, hard output {float(before):.4f} -> "
          f"{float(after):.4f}, soft loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    explain(threshold).show()


if __name__ == "__main__":
    main()
