"""Frames of the first words with a board: HELLO, its answers, and refusals."""

from ...firmware import frames
from ...firmware.frames import Frame, FrameDecoder, Status, Type

__all__ = ["answers", "greets", "is_hello", "refused", "speaks_our_protocol"]

#: A HELLO has at most twelve bytes between its flags, each of them escaped.
LONGEST_HELLO = 26


def is_hello(data: bytes) -> bool:
    """Whether bytes are a HELLO, and nothing else."""
    return len(data) <= LONGEST_HELLO and [
        frame.type for frame in FrameDecoder().feed(data) if isinstance(frame, Frame)
    ] == [Type.HELLO]


def greets(frame: Frame) -> bool:
    """Whether it is a good answer to HELLO."""
    return frame.type == Type.HELLO | frames.ANSWER_BIT and frame.payload[:1] == bytes([Status.OK])


def answers(kind: Type, frame: Frame) -> bool:
    """Whether it is an answer to such a request, or its refusal."""
    return frame.type == kind | frames.ANSWER_BIT


def speaks_our_protocol(greeting: Frame) -> bool:
    """Whether a good answer to HELLO is of this protocol."""
    own = frames.MAGIC + bytes([frames.PROTOCOL_VERSION])
    return greeting.payload[6:6 + len(own)] == own


def refused(frame: Frame) -> bool:
    """Whether it refuses a frame for its length."""
    return frame.type == frames.NAK and frame.payload[:1] == bytes([Status.LENGTH])
