"""Configurations refuse what cannot be built, and name it."""

import pytest
from tritgrad.model.config import CoreConfig
from tritgrad.model.errors import ConfigError


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
