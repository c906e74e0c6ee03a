"""What the codec of Temporal's Python sample takes for one payload, in microseconds.

Beside `cargo bench -p sealane-codec`: the same data, the same cipher, one payload in each call. Needs the packages of
requirements.txt:

    PYTHONPATH=target/compare/python python3 benches/compare/peers/python/codec_speed.py
"""

import asyncio
import statistics
import time

from temporalio.api.common.v1 import Payload

from worker import EncryptionCodec

SIZES = {"64B": 64, "1KiB": 1024, "16KiB": 16 * 1024, "1MiB": 1024 * 1024}

# How long one measurement takes at least, and how many there are.
SECONDS = 0.5
MEASUREMENTS = 11


async def microseconds(work, payload: Payload) -> float:
    """Median of the time for one call of `work`."""
    count = 1
    while (took := await seconds(work, payload, count)) < SECONDS / 10:
        count *= 2
    count = max(1, int(count * SECONDS / took))
    times = [await seconds(work, payload, count) / count for _ in range(MEASUREMENTS)]
    return statistics.median(times) * 1e6


async def seconds(work, payload: Payload, count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        await work([payload])
    return time.perf_counter() - begun


async def main() -> None:
    codec = EncryptionCodec("payload-key/0000", bytes([7] * 32))
    for name, size in SIZES.items():
        plain = Payload(metadata={"encoding": b"json/plain"}, data=b"x" * size)
        sealed = (await codec.encode([plain]))[0]
        encode = await microseconds(codec.encode, plain)
        decode = await microseconds(codec.decode, sealed)
        print(f"{name}: encode {encode:.2f} µs, decode {decode:.2f} µs")


if __name__ == "__main__":
    asyncio.run(main())
