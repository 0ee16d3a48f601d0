"""Configurations refuse what cannot be built, and name it."""

import re

import pytest

from tritgrad.errors import ConfigError
from tritgrad.model.config import CoreConfig


@pytest.mark.parametrize("options, message", [
    ({"lanes": 0}, r"^lanes must be an integer from 1 to 256, not 0$"),
    ({"lanes": 2.5}, r"^lanes must be an integer from 1 to 256, not 2\.5$"),
    ({"banks": 257}, r"^banks must be an integer from 1 to 256, not 257$"),
    ({"counter_bits": 5}, r"^counter_bits must be an integer from 6 to 14, not 5$"),
    ({"input_planes": True}, r"^input_planes must be an integer from 1 to 8, not True$"),
    ({"lanes": 16, "update_lanes": 5}, r"^update_lanes must divide lanes \(16\), not 5$"),
    ({"slot_bytes": 100}, r"^slot_bytes must be a power of two, not 100$"),
    ({"max_classes": 100, "max_neurons": 50},
     r"^max_classes must be at most max_neurons \(50\), not 100$"),
    ({"seeder": 1}, r"^seeder must be a bool, not 1$"),
    ({"support": True, "trainable": False}, "^support must be False where trainable is False$"),
    ({"support": True, "resident": 3}, "^support must be False where resident is 3$"),
])
def test_a_bad_field_is_named(options, message):
    with pytest.raises(ConfigError, match=message):
        CoreConfig(**options)


def test_scores_cannot_wrap():
    config = CoreConfig(max_inputs=784, input_planes=8, max_neurons=128, max_classes=10)
    assert 1 << (config.score_bits - 1) > 784 * 255
    assert 1 << (config.score_bits - 2) <= 784 * 255


@pytest.mark.parametrize("layers", [(784, 128, 10), (64, 64, 10), (784, 512, 300, 40), (3000, 5)])
def test_a_network_fits_its_configuration(layers):
    from tritgrad.model.layout import Layer, check_table

    config = CoreConfig.for_network(layers, 1)
    check_table(config, [Layer(f, n, 1 if k == 0 else 4, 0, 0) for k, (f, n) in enumerate(
        zip(layers, layers[1:], strict=False))])


def test_common_networks_share_a_core():
    assert CoreConfig.for_network((784, 128, 10), 1) == CoreConfig.for_network((64, 64, 10), 4)


def test_a_network_beyond_the_link_is_refused():
    with pytest.raises(ConfigError, match=r"^residual_depth must be an integer from 1 to 65536"):
        CoreConfig.for_network((784, 2000, 10), 1)


LIMITS = {
    "lanes": (1, 256), "banks": (1, 256), "update_lanes": (1, 256), "counter_bits": (6, 14),
    "activation_bits": (1, 8), "input_planes": (1, 8), "max_layers": (1, 15),
    "max_inputs": (1, 65535), "max_neurons": (2, 65535), "max_classes": (2, 256),
    "trit_depth": (1, 65536), "residual_depth": (1, 65536), "hidden_depth": (1, 65536),
    "program_depth": (4, 256), "slot_bytes": (64, 32768),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_a_field(name):
    low, high = LIMITS[name]
    others = {"lanes": {"update_lanes": 1}, "drain": {"banks": 2}, "update_lanes": {"lanes": 256},
              "max_neurons": {"max_classes": 2}, "max_classes": {"max_neurons": 256}}
    for value in low, high:
        assert getattr(CoreConfig(**{**others.get(name, {}), name: value}), name) == value
    for value in low - 1, high + 1:
        with pytest.raises(ConfigError,
                           match=f"^{name} must be an integer from {low} to {high}, not {value}$"):
            CoreConfig(**{name: value})


def test_pipelined_reads_need_two_ports():
    with pytest.raises(ConfigError, match="^pipelined must be False where single_port is True$"):
        CoreConfig(single_port=True, pipelined=True)


@pytest.mark.parametrize("sizes, text", [
    ({"banks": 3}, "banks is odd (3)"), ({"lanes": 9, "update_lanes": 3}, "lanes is odd (9)")])
def test_two_sums_a_cycle_need_even_lanes_and_banks(sizes, text):
    with pytest.raises(ConfigError, match=f"^drain must be 1 where {re.escape(text)}, not 2$"):
        CoreConfig(drain=2, **sizes)


@pytest.mark.parametrize("name", ["seeder", "single_port", "pipelined"])
def test_a_flag_is_a_bool(name):
    with pytest.raises(ConfigError, match=f"^{name} must be a bool, not 1$"):
        CoreConfig(**{name: 1})


def test_a_larger_network_gets_the_next_powers_of_two():
    assert CoreConfig.for_network((784, 128, 10), 1) == CoreConfig(input_planes=4)
    # T: 188 * 19 + 19 * 3 words a bank; R: 188 * 300 + 19 * 40 words.
    config = CoreConfig.for_network((3000, 300, 40), 5, update_lanes=16)
    assert config == CoreConfig(
        input_planes=8, max_inputs=4096, max_neurons=512, max_classes=64, trit_depth=4096,
        residual_depth=65536, hidden_depth=64, slot_bytes=16384)


def test_sizes_by_hand_stay():
    config = CoreConfig.for_network((64, 32, 10), 8, lanes=6, update_lanes=2, trit_depth=99)
    assert (config.lanes, config.steps, config.trit_depth, config.input_planes) == (6, 3, 99, 8)


@pytest.mark.parametrize("layers", [(), (5,)])
def test_a_network_needs_two_sizes(layers):
    with pytest.raises(ConfigError, match=r"^a network needs inputs and classes, not \["):
        CoreConfig.for_network(layers, 1)


@pytest.mark.parametrize("options, message", [
    ({"trainable": False}, "scales must be False where trainable is False"),
    ({"lanes": 16, "hidden_depth": 4096},
     "scales must be False where 65569 words of memory S (hidden_depth 4096) exceed 65536"),
])
def test_what_rows_with_scales_exclude(options, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        CoreConfig(scales=True, **options)
