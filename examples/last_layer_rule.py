"""A learning rule of one's own: train the last layer only, on the reference machine and on the RTL.

Run it with ``python examples/last_layer_rule.py [model|sim]``.
"""

import sys

from tritgrad.firmware.assembler import assemble
from tritgrad.host.data.datasets import load
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport, SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import initial_counters, initial_prng

RULE = """
        COUNT samples
next:   RECV
        FWD 1
        FWD 2
        ERR margin
        SKIP done       ; the margin is held: nothing to learn
        UPD 2           ; only the last layer moves: no BWD, no UPD 1
done:   LOOP next
        HALT
"""


def learn(device: str, epochs: int = 3) -> tuple[float, str]:
    """Train digits with the rule; test accuracy in per cent, and the state's hash."""
    data = load("digits")
    recipe = Recipe.default((64, 64, 10), data.planes, epochs=epochs)
    config = CoreConfig.for_network(recipe.layers, recipe.planes)
    transport = SimTransport(config) if device == "sim" else GoldenTransport(config)
    driver = Driver(Session(transport))
    driver.load(layer_table(recipe, recipe.gains),
                initial_counters(recipe.layers, recipe.counter_bits, recipe.seed),
                initial_prng(recipe.layers, recipe.seed).state)
    program = assemble(RULE, layers=2,
                       symbols={"samples": len(data.x_train), "margin": recipe.margin})
    for epoch in range(epochs):
        driver.set_gains(recipe.gains_in(epoch))
        driver.run(program, data.x_train, data.y_train)
    predictions, _, _ = driver.infer(data.x_test)
    state = state_sha256(driver.counters())
    driver.close()
    return 100 * float((predictions == data.y_test).mean()), state


if __name__ == "__main__":
    accuracy, state = learn(sys.argv[1] if len(sys.argv) > 1 else "model")
    print(f"test accuracy {accuracy:.2f} %, state {state}")
