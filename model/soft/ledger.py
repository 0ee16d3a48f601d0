"""What each kind of surrogate gradient means, in words: the semantic ledger's texts."""

from __future__ import annotations

from .events import Fidelity, LedgerEntry, Relaxation

__all__ = ["CONTRACTS", "contract", "ledger_entry", "relaxation"]

#: By surrogate: what it approximates, whose gradient it is, where that is biased, where it flows,
#: the estimator, its notes, and what to check.
CONTRACTS: dict[str, dict[str, object]] = {
    "soft_gate": {
        "approximates": "hard branch indicator 1[score > 0]",
        "contract": "exact gradient of the mixture gate * true + (1 - gate) * false, not of the "
                    "hard branch",
        "bias": "a surrogate: both sides count, also the one that is not taken; far from score 0 "
                "the gate saturates and the score's gradient vanishes",
        "flows": ["score", "true_value", "false_value"],
        "estimator": "surrogate",
        "notes": "gate = sigmoid(beta * score); the hard branch takes true where score > 0",
        "checks": ["output gap at the temperature used", "gradcheck of the mixture",
                   "temperature sensitivity", "hard objective after training"],
    },
    "pathwise": {
        "approximates": "nothing: the side that is taken, with the decision held fixed",
        "contract": "exact gradient of the selected side where the score does not change its sign",
        "bias": "the score gets no gradient: the decision itself cannot be learned",
        "flows": ["selected side"],
        "estimator": "exact-selected-path",
        "notes": "the other side is not evaluated",
        "checks": ["distance of the score from 0"],
    },
    "straight_through": {
        "approximates": "the step function of the score in the backward direction only",
        "contract": "value of the hard branch, gradient of the soft gate for the score: not the "
                    "gradient of any function",
        "bias": "biased wherever the gate is neither 0 nor 1; the side not taken gets no gradient",
        "flows": ["score", "selected side"],
        "estimator": "hard-forward-soft-backward",
        "notes": "gate = hard + (soft - detached soft)",
        "checks": ["sign against a finite difference of the soft program",
                   "not gradcheck, which must fail"],
    },
    "softmax_select": {
        "approximates": "hard argmax over candidate scores",
        "contract": "exact gradient of the weighted mean of all values, not of the best one",
        "bias": "all candidates count; near ties the mean is no candidate's value",
        "flows": ["scores", "values"],
        "estimator": "surrogate",
        "notes": "weights = softmax(scores / tau)",
        "checks": ["candidate entropy", "path agreement", "temperature sensitivity",
                   "hard objective after training"],
    },
    "gumbel_softmax_select": {
        "approximates": "hard argmax over candidate scores, by a choice drawn with "
                        "probability softmax(scores)",
        "contract": "exact gradient of one noisy weighted mean, for the noise that was drawn",
        "bias": "biased for the expected choice at any tau above 0, and noisy",
        "flows": ["scores", "values"],
        "estimator": "surrogate",
        "notes": "weights = softmax((scores + Gumbel noise) / tau)",
        "checks": ["mean over several seeds", "variance over several seeds"],
    },
    "gumbel_straight_through_select": {
        "approximates": "hard argmax over candidate scores, by a choice drawn with "
                        "probability softmax(scores)",
        "contract": "value of the drawn candidate, gradient of the noisy weights",
        "bias": "biased and noisy; values not drawn get no gradient",
        "flows": ["scores", "selected value"],
        "estimator": "hard-forward-soft-backward",
        "notes": "one-hot + (weights - detached weights)",
        "checks": ["mean over several seeds", "not gradcheck, which must fail"],
    },
}


def contract(surrogate: str) -> str:
    """Of which function the gradient is the gradient."""
    return str(CONTRACTS[surrogate]["contract"])


def relaxation(surrogate: str, temperature: float | None) -> Relaxation:
    """The record of a relaxation."""
    texts = CONTRACTS[surrogate]
    return Relaxation(surrogate, temperature, str(texts["estimator"]), str(texts["notes"]))


def ledger_entry(number: int, surrogate: str, fidelity: Fidelity | None) -> LedgerEntry:
    """The ledger's entry for an event."""
    texts = CONTRACTS[surrogate]
    flows, checks = texts["flows"], texts["checks"]
    assert isinstance(flows, list) and isinstance(checks, list)
    return LedgerEntry(
        id=number, surrogate_type=surrogate, gradient_contract=str(texts["contract"]),
        bias_warning=str(texts["bias"]), fidelity_metrics=fidelity,
        approximates=str(texts["approximates"]), gradient_flows_to=list(flows),
        estimator=str(texts["estimator"]), recommended_checks=list(checks))
