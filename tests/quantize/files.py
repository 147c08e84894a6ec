"""Independent readers and a writer of safetensors and GGUF, standard library only, strict about what the formats demand."""
import json, struct

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "I32": 4, "I64": 8}


def write_safetensors(path, tensors, metadata=None):
    """tensors: name -> (dtype, shape, bytes)"""
    header, blobs, offset = {"__metadata__": metadata} if metadata else {}, [], 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
        blobs.append(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    """(name -> (dtype, shape, bytes), metadata); asserts the rules of the format and alignment to the element size."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length <= len(data) - 8 and length % 8 == 0
    pairs = json.loads(data[8:8 + length], object_pairs_hook=lambda p: (check_unique(p), dict(p))[1])
    metadata, body, end = pairs.pop("__metadata__", {}), data[8 + length:], 0
    assert all(isinstance(v, str) for v in metadata.values())
    out = {}
    for name, t in sorted(pairs.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = t["data_offsets"]
        count = 1
        for size in t["shape"]:
            count *= size
        assert begin == end, f"{name}: hole or overlap"
        assert stop - begin == count * SIZES[t["dtype"]], name
        assert (8 + length + begin) % SIZES[t["dtype"]] == 0, f"{name} is not aligned"
        out[name] = (t["dtype"], t["shape"], body[begin:stop])
        end = stop
    assert end == len(body), "bytes after the last tensor"
    return out, metadata


def check_unique(pairs):
    assert len({k for k, _ in pairs}) == len(pairs), "duplicate key"


GGUF_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
GGUF_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84), 11: (256, 110),
               12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18), 30: (1, 2), 39: (32, 17)}


def read_gguf(path):
    """(name -> (type, shape outermost first, bytes), metadata)"""
    data, at = path.read_bytes(), 4
    assert data[:4] == b"GGUF"

    def take(form):
        nonlocal at
        (value,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return value

    def text():
        nonlocal at
        n = take("<Q")
        at += n
        return data[at - n:at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, n = take("<I"), take("<Q")
            return [value(inner) for _ in range(n)]
        return take(GGUF_SCALARS[kind])

    version, tensors, keys = take("<I"), take("<Q"), take("<Q")
    assert version == 3
    metadata = {}
    for _ in range(keys):
        key = text()
        metadata[key] = value(take("<I"))
    infos = []
    for _ in range(tensors):
        name, rank = text(), take("<I")
        shape = [take("<Q") for _ in range(rank)][::-1]
        infos.append((name, shape, take("<I"), take("<Q")))
    start, out, expected = (at + 31) // 32 * 32, {}, 0
    for name, shape, kind, offset in infos:
        count = 1
        for size in shape:
            count *= size
        elements, size = GGUF_BLOCKS[kind]
        assert offset == expected and shape[-1] % elements == 0, name
        length = count // elements * size
        assert start + offset + length <= len(data)
        out[name] = (kind, shape, data[start + offset:start + offset + length])
        expected = (offset + length + 31) // 32 * 32
    assert start + expected == len(data)
    return out, metadata
