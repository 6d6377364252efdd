"""Writes the four files of a small data set in MNIST's format: digits as clocks draw them, at random places."""
import pathlib
import random
import struct
import sys

# Of each digit: top, upper left, upper right, middle, lower left, lower right, bottom.
SEGMENTS = ['1110111', '0010010', '1011101', '1011011', '0111010', '1101011', '1101111', '1010010', '1111111', '1111011']
BARS = [(0, 0, 1, 8), (0, 0, 8, 1), (0, 7, 8, 1), (7, 0, 1, 8), (7, 0, 8, 1), (7, 7, 8, 1), (14, 0, 1, 8)]


def draw(digit):
    pixels = bytearray(28 * 28)
    down, right = 6 + random.randrange(-2, 3), 10 + random.randrange(-2, 3)
    for bar in (bar for bar, on in zip(BARS, SEGMENTS[digit]) if on == '1'):
        for y in range(bar[2]):
            for x in range(bar[3]):
                pixels[28 * (down + bar[0] + y) + right + bar[1] + x] = 255
    return bytes(pixels)


random.seed(1)
folder = pathlib.Path(sys.argv[1])
for part, count in ('train', 1000), ('t10k', 200):
    labels = [i % 10 for i in range(count)]
    images = b''.join(map(draw, labels))
    (folder / f'{part}-images-idx3-ubyte').write_bytes(struct.pack('>4i', 0x803, count, 28, 28) + images)
    (folder / f'{part}-labels-idx1-ubyte').write_bytes(struct.pack('>2i', 0x801, count) + bytes(labels))
