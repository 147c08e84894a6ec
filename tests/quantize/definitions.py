"""The definitions of src/numerics/scheme.h and block_layout.h a second time, in plain Python, value by value.

fp32 arithmetic is done in fp64 and rounded after every operation, which for + - * / gives the fp32 result exactly."""
import math, struct


_F = struct.Struct("<f")


def f32(x, pack=_F.pack, unpack=_F.unpack):
    try:
        return unpack(pack(x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def f32s(values):
    """f32 of each, a whole list at a time."""
    form = f"<{len(values)}f"
    try:
        return list(struct.unpack(form, struct.pack(form, *values)))
    except OverflowError:
        return [f32(v) for v in values]


def half(bits):
    return struct.unpack("<e", struct.pack("<H", bits))[0]


def rint(x):
    return float(round(x))  # Python rounds halves to even


def clamp(x, low, high):
    return low if x < low else high if x > high else x


def small_values(exponent_bits, significand_bits, bias, nan_codes=()):
    """Value of every code of a small float, ascending codes, sign in the top bit; None for NaN."""
    values = []
    for code in range(2 ** (1 + exponent_bits + significand_bits)):
        m = code % 2 ** significand_bits
        e = (code >> significand_bits) % 2 ** exponent_bits
        v = math.ldexp(m, 1 - bias - significand_bits) if e == 0 else math.ldexp(2 ** significand_bits + m, e - bias - significand_bits)
        values.append(None if code % 2 ** (exponent_bits + significand_bits) in nan_codes else (-v if code >> (exponent_bits + significand_bits) else v))
    return values


E4M3 = small_values(4, 3, 7, (127,))
E5M2 = small_values(5, 2, 15, (124, 125, 126, 127))
E3M2 = small_values(3, 2, 3)
E2M3 = small_values(2, 3, 1)
E2M1 = small_values(2, 1, 1)


def nearest(values, x):
    """Code of the nearest value by search, halves to the even code, saturating, sign kept."""
    sign = len(values) // 2 if math.copysign(1, x) < 0 else 0
    best = 0
    for code in range(len(values) // 2):
        if values[code] is None:
            continue
        d, b = abs(values[code] - abs(x)), abs(values[best] - abs(x))
        if d < b or (d == b and code % 2 == 0):
            best = code
    return best | sign


def units(rows, columns, grain, group):
    """[(flat begin, flat end)] of the weights that share a scale, in order."""
    if grain == "tensor":
        return [(0, rows * columns)]
    width = columns if grain == "channel" else group
    return [(r * columns + c, r * columns + min(c + width, columns)) for r in range(rows) for c in range(0, columns, width)]


def absmax(x, top, clip=None):
    m = max(map(abs, x), default=0.0) if clip is None else clip
    step = f32(m / top)
    if step < 2.0 ** -126:
        return [0] * len(x), 0.0, [0.0 * v for v in x]
    multiplier = f32(top / m)
    codes = [round(clamp(v, -top, top)) for v in f32s([v * multiplier for v in x])]  # Python rounds halves to even
    return codes, step, f32s([c * step for c in codes])


def zero_point(x, top):
    low, high = min(x), max(x)
    levels = 2 * top + 1
    width = f32(high - low)
    spread = 1.0 if f32(width / levels) < 2.0 ** -126 else width
    scale = f32(levels / spread)
    zero = f32(-rint(f32(scale * low)) - (top + 1))
    codes = [round(clamp(v, -top - 1, top)) for v in f32s([v + zero for v in f32s([v * scale for v in x])])]
    step = f32(spread / levels)
    return codes, step, int(zero), f32s([f32(c - zero) * step for c in codes])


def percentile_clip(x, p):
    ordered = sorted(map(abs, x))
    clip = ordered[clamp(math.ceil(p / 100 * len(x)), 1, len(x)) - 1]
    return clip if clip > 0 else ordered[-1]


def mse_clip(x, top):
    m = max(map(abs, x))
    best = None
    for k in range(64, 15, -1):
        clip = f32(f32(m * k) / 64)
        restored = absmax(x, top, clip)[2]
        error = math.fsum((a - b) ** 2 for a, b in zip(x, restored))
        if best is None or error < best[0]:
            best = (error, clip)
    return best[1]


def scaled_float(x, values):
    top = max(v for v in values if v is not None)
    m = max(map(abs, x))
    step = f32(m / top)
    multiplier = f32(top / m)
    codes = [nearest(values, f32(v * multiplier)) for v in x]
    return codes, step, [f32(values[c] * step) for c in codes]


def mx(x, values):
    m = max(map(abs, x))
    emax = math.frexp(max(v for v in values if v is not None))[1] - 1
    e = clamp(math.frexp(m)[1] - 1 - emax, -127, 127) if m > 0 else -127
    codes = [nearest(values, f32(math.ldexp(v, -e))) for v in x]
    return codes, e + 127, [f32(math.ldexp(values[c], e)) for c in codes]


def nvfp4_block(x, tensor_scale):
    m = max(map(abs, x))
    code = nearest(E4M3, f32(f32(m / 6) / tensor_scale)) if tensor_scale > 0 else 0
    step = f32(E4M3[code] * tensor_scale)
    codes = [nearest(E2M1, f32(v / step) if step > 0 else 0.0) for v in x]
    return codes, code, [f32(E2M1[c] * step) for c in codes]


NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
       -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
       0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0]
NF4_EDGES = [f32(f32(NF4[i] + NF4[i + 1]) / 2) for i in range(15)]


def nf4_block(x):
    m = max(map(abs, x))
    codes = [sum(f32(v / m) > edge for edge in NF4_EDGES) if m > 0 else sum(0.0 > edge for edge in NF4_EDGES) for v in x]
    return codes, m


# GGUF blocks, read back.
IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]


def nibbles(qs):
    return [b & 15 for b in qs] + [b >> 4 for b in qs]


def read_q4_0(b):
    d = half(b[0] | b[1] << 8)
    return [f32((q - 8) * d) for q in nibbles(b[2:18])]


def read_q4_1(b):
    d, m = half(b[0] | b[1] << 8), half(b[2] | b[3] << 8)
    return [f32(f32(q * d) + m) for q in nibbles(b[4:20])]


def read_q5_0(b):
    d, high = half(b[0] | b[1] << 8), int.from_bytes(b[2:6], "little")
    return [f32(((q | (high >> j & 1) << 4) - 16) * d) for j, q in enumerate(nibbles(b[6:22]))]


def read_q5_1(b):
    d, m, high = half(b[0] | b[1] << 8), half(b[2] | b[3] << 8), int.from_bytes(b[4:8], "little")
    return [f32(f32((q | (high >> j & 1) << 4) * d) + m) for j, q in enumerate(nibbles(b[8:24]))]


def read_q8_0(b):
    d = half(b[0] | b[1] << 8)
    return [f32((q - 256 if q > 127 else q) * d) for q in b[2:34]]


def read_iq4_nl(b):
    d = half(b[0] | b[1] << 8)
    return [f32(d * IQ4[q]) for q in nibbles(b[2:18])]


def read_q2_k(b):
    scales, qs, d, dmin = b[:16], b[16:80], half(b[80] | b[81] << 8), half(b[82] | b[83] << 8)
    out = []
    for base in (0, 32):  # bytes of a half of 128 weights
        for shift in (0, 2, 4, 6):
            for part in (0, 16):
                s = scales[len(out) // 16]
                out += [f32(f32(f32(d * (s & 15)) * (qs[base + part + l] >> shift & 3)) - f32(dmin * (s >> 4))) for l in range(16)]
    return out


def read_q3_k(b):
    mask, qs, packed, d = b[:32], b[32:96], b[96:108], half(b[108] | b[109] << 8)
    low = [v & 15 for v in packed[:8]] + [v >> 4 for v in packed[:8]]
    scales = [low[j] | (packed[8 + j % 4] >> 2 * (j // 4) & 3) << 4 for j in range(16)]
    out = []
    for n in range(8):  # 32 weights each
        for l in range(32):
            q = (qs[n // 4 * 32 + l] >> 2 * (n % 4) & 3) - (0 if mask[l] >> n & 1 else 4)
            out.append(f32(f32(d * (scales[2 * n + l // 16] - 32)) * q))
    return out


def scale_and_minimum(s, j):
    if j < 4:
        return s[j] & 63, s[j + 4] & 63
    return s[j + 4] & 15 | (s[j - 4] >> 6) << 4, s[j + 4] >> 4 | (s[j] >> 6) << 4


def read_q4_k(b):
    d, dmin, s, qs = half(b[0] | b[1] << 8), half(b[2] | b[3] << 8), b[4:16], b[16:144]
    out = []
    for n in range(8):
        scale, minimum = scale_and_minimum(s, n)
        out += [f32(f32(f32(d * scale) * (qs[n // 2 * 32 + l] >> 4 * (n % 2) & 15)) - f32(dmin * minimum)) for l in range(32)]
    return out


def read_q5_k(b):
    d, dmin, s, high, qs = half(b[0] | b[1] << 8), half(b[2] | b[3] << 8), b[4:16], b[16:48], b[48:176]
    out = []
    for n in range(8):
        scale, minimum = scale_and_minimum(s, n)
        for l in range(32):
            q = qs[n // 2 * 32 + l] >> 4 * (n % 2) & 15 | (high[l] >> n & 1) << 4
            out.append(f32(f32(f32(d * scale) * q) - f32(dmin * minimum)))
    return out


def read_q6_k(b):
    low, high, scales, d = b[:128], b[128:192], b[192:208], half(b[208] | b[209] << 8)
    out = []
    for n in range(8):
        h, k = n // 4, n % 4
        for l in range(32):
            q = (low[h * 64 + k % 2 * 32 + l] >> 4 * (k // 2) & 15 | (high[h * 32 + l] >> 2 * k & 3) << 4) - 32
            s = scales[(n * 32 + l) // 16]
            out.append(f32(f32(d * (s - 256 if s > 127 else s)) * q))
    return out


BLOCKS = {"q4_0": (32, 18, read_q4_0), "q4_1": (32, 20, read_q4_1), "q5_0": (32, 22, read_q5_0), "q5_1": (32, 24, read_q5_1),
          "q8_0": (32, 34, read_q8_0), "iq4_nl": (32, 18, read_iq4_nl), "q2_k": (256, 84, read_q2_k), "q3_k": (256, 110, read_q3_k),
          "q4_k": (256, 144, read_q4_k), "q5_k": (256, 176, read_q5_k), "q6_k": (256, 210, read_q6_k)}
