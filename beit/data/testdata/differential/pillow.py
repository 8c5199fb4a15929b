"""Pillow's side of TestDifferential: it writes seed files, and decodes what it is sent.

Requests on stdin and answers on stdout are lengths of 4 bytes, little-endian, with so many bytes behind them.
A request of the form "seeds FORMAT" is answered by the number of files and then each file. All others are files, which are answered by their
pixels, or by nothing where Pillow refuses them: 4 bytes each of width and height, then RGB.
"""
import io
import struct
import sys
import warnings

import numpy
from PIL import Image, TiffImagePlugin

warnings.simplefilter("ignore")
MOST = 1 << 22  # pixels


def send(b):
    sys.stdout.buffer.write(struct.pack("<I", len(b)) + b)


def receive():
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    return sys.stdin.buffer.read(struct.unpack("<I", head)[0])


def drawing(w, h):
    """Gradients with a checkerboard and noise."""
    y, x = numpy.mgrid[0:h, 0:w]
    noise = numpy.random.RandomState(7).randint(0, 24, (h, w))
    red = (x * 6 + noise) % 256
    green = numpy.where((x // 4 + y // 4) % 2 == 0, 230, y * 7 % 256)
    blue = (x * y + noise) % 256
    return Image.fromarray(numpy.stack([red, green, blue], 2).astype("uint8"))


def options(kind):
    """Modes and options of seed files."""
    if kind == "png":
        return [(m, {"bits": b} if m == "P" else {}) for m, b in [("1", 0), ("L", 0), ("LA", 0), ("RGB", 0), ("RGBA", 0), ("I", 0), ("P", 8), ("P", 4), ("P", 2), ("P", 1)]]
    if kind == "gif":
        return [("L", {}), ("P", {}), ("1", {}), ("P", {"interlace": 0}), ("P", {"transparency": 3})]
    if kind == "bmp":
        return [("1", {}), ("L", {}), ("P", {}), ("RGB", {}), ("RGBA", {})]
    if kind == "jpeg":
        return [("L", {}), ("RGB", {}), ("RGB", {"progressive": True}), ("RGB", {"subsampling": 0}), ("RGB", {"subsampling": 1, "optimize": True}), ("CMYK", {})]
    if kind == "webp":
        return [("RGB", {}), ("RGB", {"lossless": True}), ("RGBA", {}), ("RGBA", {"lossless": True}), ("RGB", {"quality": 30, "exif": b"Exif\0\0II*\0"})]
    if kind == "ppm":
        return [("1", {}), ("L", {}), ("I", {}), ("RGB", {})]
    fax = [("1", {"compression": c}) for c in ("group3", "group4", "tiff_ccitt")]
    fax += [("1", {"compression": "group3", "tiffinfo": {292: 1}}), ("1", {"compression": "group4", "tiffinfo": {262: 0}})]
    predicted = [(m, {"compression": c, "tiffinfo": {317: 2}}) for m in ("L", "RGB", "RGBA", "I;16") for c in ("tiff_lzw", "tiff_adobe_deflate")]
    modes = ("1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "I;16", "I", "F")
    return fax + predicted + [(m, {"compression": c}) for m in modes for c in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")]


def seeds(kind):
    files = []
    for mode, how in options(kind):
        for size in ((37, 29), (64, 48)):
            im = drawing(*size)
            if mode == "P":
                im = im.quantize(1 << how.get("bits", 8))
            elif mode in ("I", "F", "I;16"):
                im = Image.fromarray((numpy.asarray(im.convert("L")).astype("uint16") * (257 if mode != "F" else 1)).astype({"I": "int32", "F": "float32", "I;16": "uint16"}[mode]))
            else:
                im = im.convert(mode)
            for strip in (512, 65536) if kind == "tiff" else (0,):
                TiffImagePlugin.STRIP_SIZE = strip
                out = io.BytesIO()
                im.save(out, kind, **how)
                files.append(out.getvalue())
    return files


def pixels(content):
    im = Image.open(io.BytesIO(content))
    if im.size[0] * im.size[1] > MOST:
        raise ValueError("too large")
    im.load()
    a = numpy.asarray(im) if im.mode[0] == "I" else None
    if im.format == "TIFF" and im.mode.startswith("I;16") and im.tag_v2.get(262, 0) == 0:
        a = 65535 - a  # Pillow does not know that 0 is white
    if im.mode.startswith("I;16") or im.mode == "I" and im.format in ("PNG", "PPM"):
        rgb = numpy.repeat((a.astype("int64") >> 8).clip(0, 255).astype("uint8")[..., None], 3, 2)  # the higher 8 bits
    else:
        rgb = numpy.asarray(im.convert("RGB"))
    return struct.pack("<II", rgb.shape[1], rgb.shape[0]) + rgb.tobytes()


while True:
    request = receive()
    if request is None:
        break
    if request.startswith(b"seeds "):
        files = seeds(request[6:].decode())
        sys.stdout.buffer.write(struct.pack("<I", len(files)))
        for f in files:
            send(f)
    else:
        try:
            answer = pixels(request)
        except Exception:
            answer = b""
        send(answer)
    sys.stdout.buffer.flush()
