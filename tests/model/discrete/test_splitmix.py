"""SplitMix64 and its trits and colours against the published words and the stated variants."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.model.discrete.splitmix import (
    SplitMix64,
    SplitMixTernary,
    chain_seed,
    hue_trits,
    interleaved,
    mix,
    splitmix_ternary,
    trits_of,
)
from tritgrad.model.rng import splitmix64

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
seeds = st.integers(0, MASK)
ORDER = np.arange(16)

WORDS = {
    0: """E220A8397B1DCDAF 6E789E6AA1B965F4 06C45D188009454F F88BB8A8724C81EC 1B39896A51A8749B
          53CB9F0C747EA2EA 2C829ABE1F4532E1 C584133AC916AB3C 3EE5789041C98AC3 F3B8488C368CB0A6
          657EECDD3CB13D09 C2D326E0055BDEF6 8621A03FE0BBDB7B 8E1F7555983AA92F B54E0F1600CC4D19
          84BB3F97971D80AB""",
    1: """910A2DEC89025CC1 BEEB8DA1658EEC67 F893A2EEFB32555E 71C18690EE42C90B 71BB54D8D101B5B9
          C34D0BFF90150280 E099EC6CD7363CA5 85E7BB0F12278575 491718DE357E3DA8 CB435C8E74616796
          6775DC7701564F61 9AFCD44D14CF8BFE 7476CF8A4BAA5DC0 87B341D690D7A28A 6F9B6DAE6F4C57A8
          2AC2CE17A5794A3B""",
    42: """BDD732262FEB6E95 28EFE333B266F103 47526757130F9F52 581CE1FF0E4AE394 09BC585A244823F2
           DE4431FA3C80DB06 37E9671C45376D5D CCF635EE9E9E2FA4 5705B8770B3D7DD5 9E54D738297F77AE
           3474724A775B19BF 7E348A0E451650BE 836DED897F3E46E6 851F977347ED6DB7 AA47E31C02E78EDC
           341452C54D7C33F2""",
    1069: """97629500787D9C76 B30FB97B4961612F 400598BC483056FD 97138CC5D52BB683 600AE37F833B80F3
             FA3B0DC5B49C93E8 BA8D0E28EFDB793D 4D2F9C34F51F8F14 B911F38B3168AC89 EFE2D77F5D2F6BE3
             4AAD9F38CDC07872 EB87F274CF2046AF 2209F3C3BE514414 627246FAF4FFB387 E733018BB8066409
             1D3B9879EC5D673D""",
}
#: Trits of the words mod 3, and of colours by the rules jump (A) and sequential (B).
TRITS = {
    0: ([0, -1, 0, 0, 0, -1, 1, 1, 1, 1, 0, 0, -1, -1, 1, 0],
        [0, 1, 1, 1, 0, 0, -1, 0, 1, 0, -1, -1, -1, -1, -1, 0],
        [1, 1, 1, 0, 0, -1, 0, 1, 0, -1, -1, -1, -1, -1, 0, -1]),
    1: ([1, 0, -1, 1, -1, 1, -1, -1, -1, 0, -1, 0, 1, 0, 0, 1],
        [-1, 1, 0, 0, -1, 1, -1, 0, -1, 0, -1, 0, -1, 0, 0, -1],
        [1, 0, 0, -1, 1, -1, 0, -1, 0, -1, 0, -1, 0, 0, -1, -1]),
    42: ([0, 0, -1, -1, 0, -1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1],
         [1, 0, 0, 1, 1, 0, -1, 0, -1, 0, 0, -1, -1, -1, 0, 1],
         [0, 0, 1, 1, 0, -1, 0, -1, 0, 0, -1, -1, -1, 0, 1, 0]),
    1069: ([1, -1, 0, 1, 0, 0, 0, -1, 1, -1, 0, -1, -1, 0, 0, 1],
           [-1, 0, -1, 0, 1, -1, 0, -1, 1, 0, 1, 1, 0, 1, 1, 1],
           [0, -1, 0, 1, -1, 0, -1, 1, 0, 1, 1, 0, 1, 1, 1, 0]),
}
FIELDS = {42: [0, 1, 0, 1, 0, 0, 0, 0, -1, 1, 0, -1, 1, -1, 1, 0],
          1069: [-1, -1, -1, -1, 1, 1, 1, -1, 1, 1, -1, 1, 1, 0, 1, -1]}


@pytest.mark.parametrize("seed", WORDS)
def test_splitmix64_next_and_at(seed):
    words = [int(word, 16) for word in WORDS[seed].split()]
    generator = SplitMix64(seed)
    assert [generator.next() for _ in ORDER] == words
    assert [generator.at(n) for n in reversed(range(16))] == words[::-1]
    assert generator.state == (seed + 16 * GOLDEN) & MASK


def test_random_is_the_output_over_the_mask():
    generator, values = SplitMix64(42), SplitMix64(42)
    assert [values.random() for _ in range(4)] == [generator.next() / MASK for _ in range(4)]


@given(seeds)
def test_mix_is_the_finaliser(z):
    assert mix(z) == splitmix64((z - GOLDEN) & MASK, 0)
    assert mix(z + 2**64) == mix(z)


@pytest.mark.parametrize("seed", TRITS)
def test_next_trit(seed):
    one, many = SplitMixTernary(seed), SplitMixTernary(seed)
    expected = TRITS[seed][0]
    assert [one.next_trit() for _ in ORDER] == expected
    assert many.next_trits(7).tolist() + many.next_trits(9).tolist() == expected
    assert one.state == many.state
    assert SplitMixTernary(seed, "raw").trits_at(ORDER).tolist() == expected


def test_next_trit_is_as_frequent_as_published():
    trits = SplitMixTernary(1069).next_trits(30_000)
    assert [int((trits == t).sum()) for t in (-1, 0, 1)] == [9_846, 10_040, 10_114]


@given(seeds)
@example(0)
@example(MASK)
def test_trit_of_a_word_from_two_popcounts(word):
    # How hardware takes 64 bits mod 3: 2 is -1 mod 3, so odd bits count twice.
    even, odd = (bin(word & mask).count("1") for mask in (0x5555555555555555, 0xAAAAAAAAAAAAAAAA))
    assert trits_of(np.array([word], np.uint64)).tolist() == [(even + 2 * odd) % 3 - 1]


@pytest.mark.parametrize("seed", TRITS)
@pytest.mark.parametrize(("rule", "row"), [("jump", 1), ("sequential", 2)])
def test_color_at_trits_of_rules_a_and_b(seed, rule, row):
    generator = SplitMixTernary(seed, rule)
    assert [generator.color_at(n)["trit"] for n in range(16)] == TRITS[seed][row]
    assert generator.trits_at(ORDER).tolist() == TRITS[seed][row]


@pytest.mark.parametrize("seed", FIELDS)
def test_color_at_trits_of_rule_c(seed):
    generator = SplitMixTernary(seed, "fields")
    assert [generator.color_at(n)["trit"] for n in range(16)] == FIELDS[seed]


def test_color_at_has_lightness_chroma_hue_trit_and_index():
    out = [splitmix64(1069, n) for n in range(7)]
    for rule, draws in (("sequential", out[4:7]), ("raw", out[4:7]),
                        ("jump", [out[4], out[4], out[5]])):
        color = SplitMixTernary(1069, rule).color_at(4)
        assert list(color) == ["L", "C", "H", "trit", "index"]
        assert color["L"] == pytest.approx(10 + 85 * (draws[0] / MASK))
        assert color["C"] == pytest.approx(100 * (draws[1] / MASK))
        assert color["H"] == pytest.approx(360 * (draws[2] / MASK))
        assert color["index"] == 4
    color = SplitMixTernary(1069, "fields").color_at(4)
    bits = [out[4] >> low & 0xFFFF for low in (0, 16, 32)]
    assert [color["L"], color["C"], color["H"]] == pytest.approx(
        [10 + 85 * bits[0] / 65535, 100 * bits[1] / 65535, 360 * bits[2] / 65535])


def by_degrees(draw, top):
    """The trit of a hue in exact degrees."""
    sixths = 6 * draw
    if sixths < top or sixths >= 5 * top:
        return 1
    return 0 if 2 * draw < top else -1


@given(seeds)
@example(0x2AAAAAAAAAAAAAAA)
@example(0x2AAAAAAAAAAAAAAB)
@example(0x7FFFFFFFFFFFFFFF)
@example(0x8000000000000000)
@example(0xD555555555555554)
@example(0xD555555555555555)
@example(MASK)
def test_hue_trits_equal_the_rule_in_degrees(draw):
    assert hue_trits(np.array([draw], np.uint64)).tolist() == [by_degrees(draw, MASK)]
    degrees = 360 * (draw / MASK)
    if min(abs(degrees - edge) for edge in (60, 180, 300)) > 1e-9:
        expected = 1 if degrees < 60 or degrees >= 300 else 0 if degrees < 180 else -1
        assert hue_trits(np.array([draw], np.uint64)).tolist() == [expected]


def test_hue_trits_of_all_16_bit_fields():
    draws = np.arange(65536, dtype=np.uint64)
    expected = [by_degrees(int(d), 65535) for d in draws]
    assert hue_trits(draws, 65535).tolist() == expected


def test_split_xors_the_state():
    assert SplitMix64(42).split(7).seed == 0x538454127B0964B9
    assert SplitMix64(1069).split(7).seed == 0x538454127B0960BE
    used = SplitMix64(42)
    used.next()
    assert used.split(7).seed == used.state ^ (7 * GOLDEN & MASK)
    assert SplitMixTernary(42).split(7).next_trit() == SplitMixTernary(42).split(7).next_trit()  # type: ignore[attr-defined]


def test_jump_seeds_a_child_with_a_later_output():
    generator = SplitMix64(42)
    assert generator.jump(3).seed == 0x581CE1FF0E4AE394
    generator.next()
    assert generator.jump(2).seed == 0x581CE1FF0E4AE394


@pytest.mark.parametrize("seed", WORDS)
def test_trifurcate(seed):
    generator = SplitMixTernary(seed)
    children = generator.trifurcate()
    assert [child.seed for child in children] == [splitmix64(seed, n) for n in range(3)]
    assert len({child.at(0) for child in children}) == 3
    assert all(isinstance(child, SplitMixTernary) for child in children)
    assert [c.seed for c in SplitMixTernary(seed).trifurcate()] == [c.seed for c in children]


def test_splitmix_ternary():
    assert splitmix_ternary(42) == (0xBDD732262FEB6E95, 0x57E1FABA65107204, 0x6310BF04D8207F46)
    assert splitmix_ternary(1069) == (0x97629500787D9C76, 0xC9B043AD94A7D2DC, 0x723A98D445AA7AF4)


def test_interleaved_streams_start_one_constant_apart():
    first, second, third = interleaved(MASK)
    assert [first.at(1), first.at(2)] == [second.at(0), third.at(0)]


def test_chain_seed():
    assert chain_seed(5, [1, 1, 0]) == mix(5)
    assert chain_seed(5, np.array([1, -1], np.int8)) == mix(5 + GOLDEN)
    assert chain_seed(5, [1]) == mix(5 + 2 * GOLDEN)


@pytest.mark.parametrize("rule", ["sequential", "jump", "fields", "raw"])
def test_order_independence(rule):
    generator = SplitMixTernary(1069, rule)
    ordered = [generator.color_at(n) for n in range(64)]
    shuffled = np.random.default_rng(7).permutation(64).tolist()
    assert [generator.color_at(n) for n in reversed(range(64))] == ordered[::-1]
    assert [generator.color_at(n) for n in shuffled] == [ordered[n] for n in shuffled]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(generator.color_at, range(64))) == ordered
    parts, trits = generator.colors_at(np.arange(64))
    assert parts.tolist() == [[c["L"], c["C"], c["H"]] for c in ordered]
    assert trits.tolist() == [c["trit"] for c in ordered]


def test_an_unknown_rule_is_refused():
    with pytest.raises(BadInput, match="^rule of colours must be sequential, jump, fields, raw, "
                                       "not 'hue'$"):
        SplitMixTernary(1, "hue")


@pytest.mark.parametrize("make", [SplitMix64, splitmix_ternary, interleaved,
                                  lambda seed: chain_seed(seed, [1])])
@pytest.mark.parametrize("seed", [-1, 2**64, 1.5])
def test_a_bad_seed_is_refused(make, seed):
    with pytest.raises(BadInput, match=r"^seed must be an integer from 0 to 2\^64 - 1, not "):
        make(seed)
