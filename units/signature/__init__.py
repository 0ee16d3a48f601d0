"""The signature: an XOR over all that the update unit changes in T and R, 32 bits.

A turned bit in T or R looks like any other counter. But the host knows what it has written and
reads what is there: the XOR of both, folded, must be the signature, and a bit that an upset has
turned stays missing in it for ever, even when it is overwritten. It is asked for with each
snapshot; if it differs, the run goes on from the snapshot before.
"""

from ...firmware.frames import SIGNATURE_BYTES
from ..record import Config, Option, Unit

__all__ = ["SIGNATURE"]


def _fits_status(config: Config) -> str | None:
    return (None if config.slot_bytes >= 128 else
            f"signature needs slot_bytes of at least 128 for STATUS, not {config.slot_bytes!r}")


SIGNATURE = Unit(
    name="signature",
    title="with a signature of T and R",
    options=(Option("signature", "Keep an XOR over all changes of T and R, which a host compares "
                                 "with what it reads at each snapshot."),),
    needs={"trainable": "only the update unit changes T and R"},
    excludes={"update_rows": "its XOR follows one row at a time"},
    checks=(_fits_status,),
    circuit="Signature",
    golden="Signature",
    device="Signature",
    sockets=("changes", "status"),
    status_bytes=SIGNATURE_BYTES,
)
