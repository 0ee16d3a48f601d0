"""ProgramGrad's demo of a threshold that is learned through a branch.

The program returns 2x if x is above a threshold, else x squared. Its hard output has no slope in
the threshold; the relaxed branch has one. Run: ``python examples/learnable_threshold.py``; it
writes the picture threshold_trace.svg into the folder it is run in.
"""

from tritgrad.sources.programgrad import (
    Tensor,
    TraceContext,
    format_hard_soft_table,
    format_temperature_table,
    hard_data,
    hard_soft_rows,
    soft_if,
    temperature_sensitivity,
    trace,
    training_mode,
)

X, TARGET, BETA = 0.7, 1.4, 6.0
STEPS, LEARNING_RATE, START = 60, 0.08, 1.35


def program(threshold: Tensor, beta: float = BETA) -> Tensor:
    """2x above the threshold, x squared below."""
    x = Tensor(X, name="x")
    return soft_if(x - threshold, true_value=2 * x, false_value=x**2, beta=beta)


def learn() -> tuple[Tensor, list[float]]:
    """The threshold after the last step, and the soft loss before each step."""
    threshold, losses = Tensor(START, requires_grad=True, name="threshold"), []
    with training_mode():
        for _ in range(STEPS):
            loss = (program(threshold) - TARGET) ** 2
            loss.backward()
            losses.append(loss.item())
            threshold.data -= LEARNING_RATE * threshold.grad
    return threshold, losses


def explain(threshold: Tensor, beta: float = BETA) -> tuple[Tensor, TraceContext]:
    """The program's output with a threshold, and its trace."""
    with trace() as made:
        out = program(threshold, beta)
    return out, made


def main() -> None:
    """Learn, and print what came of it."""
    before = hard_data(program(Tensor(START)))
    threshold, losses = learn()
    after, made = explain(threshold)
    print(f"threshold {START} -> {threshold.item():.4f}, hard output {before:.4f} -> "
          f"{hard_data(after):.4f}, soft loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    print(made.show())
    print(format_hard_soft_table(hard_soft_rows(made, target=TARGET)))
    print(format_temperature_table(temperature_sensitivity(
        lambda beta: explain(threshold, beta), [1.0, 3.0, 6.0, 12.0], target=TARGET)))
    print(f"wrote {made.export_svg('threshold_trace.svg')}")


if __name__ == "__main__":
    main()
