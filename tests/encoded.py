"""Encoded footage that tests make for themselves."""

from fractions import Fraction

import av
import numpy as np

FPS = 10


def pictures(count, size=(180, 320), seed=0):
    """uint8 `(H, W, 3)` each: a bright square that crosses a still, textured ground."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 160, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
    ground = np.repeat(np.repeat(coarse, 10, axis=0), 10, axis=1)
    for index in range(count):
        picture = ground.copy()
        x = index * 4 % (size[1] - 20)
        picture[40:60, x : x + 20] = 230
        yield picture


def encode(codec, count=30, size=(180, 320), key_every=10):
    """Pictures as H.264 or H.265 with start codes, bytes each, with parameter sets in every key frame."""
    encoder, name = {"h264": ("libx264", "x264-params"), "hevc": ("libx265", "x265-params")}[codec]
    context = av.CodecContext.create(encoder, "w")
    context.height, context.width, context.pix_fmt = *size, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), FPS
    keys = f"keyint={key_every}:min-keyint={key_every}:scenecut=0:bframes=0:repeat-headers=1"
    quiet = ":log-level=none" if codec == "hevc" else ":sliced-threads=0"
    context.options = {"preset": "ultrafast", "tune": "zerolatency", name: keys + quiet}
    units = []
    for index, picture in enumerate(pictures(count, size)):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = index
        units += [bytes(packet) for packet in context.encode(frame)]
    return units + [bytes(packet) for packet in context.encode(None)]


def film(path, codec, count=30, size=(180, 320), container=None, **options):
    """The same as a file of any container of FFmpeg's; remuxed."""
    with av.open(str(path), "w", format=container, options=options) as out:
        stream = out.add_mux_stream(codec, width=size[1], height=size[0])
        for index, unit in enumerate(encode(codec, count, size)):
            packet = av.Packet(unit)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, FPS), index % 10 == 0
            packet.pts = packet.dts = index
            packet.duration = 1
            out.mux(packet)
    return path
