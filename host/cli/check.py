"""``tritgrad check``: the RTL against the golden model."""

import click

from ...errors import DeviceError
from ...model.config import CoreConfig
from ..device.driver import Driver
from ..device.open import open_port
from ..device.session import Session
from ..device.transport import SimTransport, Transport
from ..run.options import suitable_update_lanes
from ..run.selfcheck import first_difference, random_cases
from .console import RunProgress, counting, emit, json_option, screen
from .train_options import core_options

__all__ = ["check"]


@click.command()
@click.option("--samples", type=click.IntRange(1), default=400, show_default=True, metavar="N",
              help="Train this many random samples in all, 50 a network.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N",
              help="Derive the networks and samples from this number.")
@click.option("--counter-bits", type=int, default=8, show_default=True, metavar="B",
              help="Set the bits of a weight's counter, 6 to 14.")
@click.option("--device", metavar="BOARD@PORT",
              help="Compare the core on this port, as it is, not one compiled here.")
@core_options
@json_option
def check(samples: int, seed: int, counter_bits: int, device: str | None, lanes: int, banks: int,
          update_lanes: int | None, vcd: str | None, as_json: bool) -> None:
    """Compare the RTL with the golden model on this machine, bit for bit.

    Random networks learn random samples on both; statistics, PRNG, counters and scores must agree.
    """
    console = screen(stderr=True)
    transport: Transport
    if device is not None:
        transport = open_port(device)
    else:
        config = CoreConfig.for_network((64, 64, 10), 8, lanes=lanes, banks=banks,
                                        counter_bits=counter_bits,
                                        update_lanes=suitable_update_lanes(lanes, update_lanes))
        with RunProgress(console).working("compiling the RTL") as say:
            transport = SimTransport(config, vcd, say)
    driver = Driver(Session(transport))
    what, config = device or "RTL", driver.config
    done = networks = 0
    try:
        with counting(console, "samples", samples) as show:
            for case in random_cases(config, samples, seed):
                difference = first_difference(driver, case)
                if difference is not None:
                    raise DeviceError(f"{what} and golden model differ: {difference} ({case})")
                done, networks = done + case.samples, networks + 1
                show(done)
    finally:
        driver.close()
    click.echo(f"{what} and golden model agree: {networks} networks, {done} samples, "
               f"{config.banks} x {config.lanes} lanes", err=as_json)
    if as_json:
        emit({"networks": networks, "samples": done, "banks": config.banks, "lanes": config.lanes,
              "update_lanes": config.update_lanes, "seed": seed})
