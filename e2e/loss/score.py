"""How well speech came through: score.py DIR VOICE RECORDING.f32 RATE prints JSON; score.py --check DIR tries the scorer itself.

STOI (Taal, Hendriks, Heusdens, Jensen, 2011) and ESTOI (Jensen, Taal, 2016) against the sound that was spoken, aligned all
along because a jitter buffer stretches and shortens time; and each word by itself. Both are 1 for the reference against itself."""
import json, sys, wave

import numpy as np
from scipy.signal import fftconvolve, resample_poly

FS = 10000  # of STOI
FRAME, HOP, FFT, BANDS, SEGMENT = 256, 128, 512, 15, 30
# HEARD is the least ESTOI of a word that counts as heard: below what a word keeps that lost 60 ms in its middle (three packets in a
# row, about one sound of speech), above what is left of it when a syllable (160 ms) is gone; --check measures both.
HEARD = 0.6
DRIFT = 1.5  # seconds by which a jitter buffer may have put the sound off against the rest of a recording
REACH = 0.06  # seconds to either side of where the path has a block or a word in which it is looked for


def bands():
    f = np.arange(FFT // 2 + 1) * FS / FFT
    centre = 150 * 2 ** (np.arange(BANDS) / 3)
    low, high = centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)
    m = np.zeros((BANDS, len(f)))
    for i in range(BANDS):
        m[i, np.abs(f - low[i]).argmin() : np.abs(f - high[i]).argmin()] = 1
    return m


OCTAVES, WINDOW = bands(), np.hanning(FRAME + 2)[1:-1]


def frames(x):
    n = max(0, 1 + (len(x) - FRAME) // HOP)
    return np.stack([x[i * HOP : i * HOP + FRAME] for i in range(n)]) * WINDOW if n else np.zeros((0, FRAME))


def thirds(f):
    """Energies of third octaves, BANDS x frames."""
    return np.sqrt(OCTAVES @ (np.abs(np.fft.rfft(f, FFT)) ** 2).T)


def norm(a, axis):
    a = a - a.mean(axis, keepdims=True)
    return a / (np.linalg.norm(a, axis=axis, keepdims=True) + 1e-9)


def estoi_of(x, y):
    """ESTOI of one piece, BANDS x frames each."""
    x, y = norm(norm(x, 1), 0), norm(norm(y, 1), 0)
    return float((x * y).sum() / x.shape[1])


def intelligibility(x, y):
    """STOI and ESTOI of sound y against x, of the same length, at FS."""
    fx, fy = frames(x), frames(y)
    level = 20 * np.log10(np.linalg.norm(fx, axis=1) + 1e-9)
    keep = level > level.max() - 40  # frames where somebody speaks
    a, b = thirds(fx[keep]), thirds(fy[keep])
    stoi, estoi = [], []
    for i in range(0, a.shape[1] - SEGMENT + 1):
        s, t = a[:, i : i + SEGMENT], b[:, i : i + SEGMENT]
        scaled = t * np.linalg.norm(s, axis=1, keepdims=True) / (np.linalg.norm(t, axis=1, keepdims=True) + 1e-9)
        clipped = np.minimum(scaled, s * (1 + 10 ** (15 / 20)))
        stoi.append((norm(s, 1) * norm(clipped, 1)).sum() / BANDS)
        estoi.append(estoi_of(s, t))
    return float(np.mean(stoi)), float(np.mean(estoi))


def envelope(x):
    return np.log10(thirds(frames(x)).sum(0) + 1)


def phase(ref, got):
    """Where in the loop of ref the recording begins, in samples; and how sure that is."""
    e, g = envelope(np.tile(ref, 3)), envelope(got)
    e, g = e - e.mean(), g - g.mean()
    period = len(ref) / HOP
    c = fftconvolve(e, g[::-1], mode="valid")[: int(period)] if len(e) >= len(g) else np.zeros(1)
    i = int(c.argmax())
    return i * HOP, float(c[i] / (np.linalg.norm(e[i : i + len(g)]) * np.linalg.norm(g) + 1e-9))


def best(x, y, at, reach=0.0):
    """The piece of y near at that is most like x, how far from at it lies, and how like it is; at the sides y counts as silence."""
    reach = int(reach * FS)
    piece = np.zeros(len(x) + 2 * reach)
    lo, hi = max(0, at - reach), min(len(y), at + len(x) + reach)
    if hi > lo:
        piece[lo - (at - reach) : hi - (at - reach)] = y[lo:hi]
    c = fftconvolve(piece, x[::-1], mode="valid")
    lag = int(c.argmax())
    found = piece[lag : lag + len(x)]
    return found, lag - reach, float(c[lag] / (np.linalg.norm(x) * np.linalg.norm(found) + 1e-9))


def features(x):
    """What a frame sounds like: levels of its third octaves on the scale of the ear."""
    return np.log10(thirds(frames(x)) + 10)


def follow(loop, off, got):
    """For each frame of what was heard, by how many frames what was said lies further on than at the beginning: the cheapest path
    in which every change costs, so that holes are not explained by running to and fro (Viterbi, 1967)."""
    heard, said = features(got), features(np.concatenate([np.zeros(off % HOP), loop[off % HOP :]]))
    first, n, span = off // HOP, heard.shape[1], int(DRIFT * FS / HOP)
    shifts = np.arange(-span, span + 1)
    cost, back = np.abs(shifts) * 1e-3, np.zeros((n, len(shifts)), dtype=np.int32)
    here = np.arange(len(shifts))
    for t in range(n):
        at = np.clip(first + t + shifts, 0, said.shape[1] - 1)
        unlike = np.minimum(np.abs(said[:, at] - heard[:, t : t + 1]).mean(0), 1.0)
        jump = int(cost.argmin())
        stay, step = cost, cost[jump] + 4.0
        for d in (-1, 1):
            near = np.roll(cost, d) + 0.3
            near[0 if d == 1 else -1] = np.inf
            better = near < stay
            back[t] = np.where(better, here - d, here if d == -1 else back[t])
            stay = np.where(better, near, stay)
        back[t] = np.where(stay > step, jump, back[t])
        cost = np.minimum(stay, step) + unlike
    path, k = np.zeros(n, dtype=int), int(cost.argmin())
    for t in range(n - 1, -1, -1):
        path[t] = shifts[k]
        k = back[t, k]
    return path


def word_score(x, y, at):
    """The best ESTOI of a word near a place."""
    a = thirds(frames(x))
    at += best(x, y, at, REACH)[1]
    scores = [estoi_of(a, thirds(frames(best(x, y, at + d)[0]))) for d in range(-HOP, HOP + 1, HOP // 2)]
    return max(scores)


def score(ref, words, got):
    """ref is one loop of what was said, got what was heard, both at FS."""
    if len(got) < FS:  # nothing came at all
        return {"stoi": 0, "estoi": 0, "sure": 0, "words": len(words), "lost": words, "languages": {}, "worst": 0}
    off, sure = phase(ref, got)
    loop = np.tile(ref, 2 + len(got) // len(ref))
    path = follow(loop, off, got)
    xs, ys = [], []
    for at in range(0, len(got) - FS + 1, FS):
        shift = int(np.median(path[at // HOP : (at + FS) // HOP])) * HOP
        begin = min(max(0, off + at + shift), len(loop) - FS)
        xs.append(loop[begin : begin + FS])
        ys.append(best(xs[-1], got, at, REACH)[0])
    stoi, estoi = intelligibility(np.concatenate(xs), np.concatenate(ys))
    place = off // HOP + np.arange(len(path)) + path  # in frames of what was said
    heard = []
    for turn in range(1 + (off + len(got)) // len(ref)):
        for w in words:
            a, b = int(w["from"] * FS), int(w["to"] * FS)
            inside = np.flatnonzero((place >= (turn * len(ref) + a) // HOP) & (place <= (turn * len(ref) + b) // HOP))
            if len(inside) == 0:
                inside = np.array([np.abs(place - (turn * len(ref) + (a + b) // 2) // HOP).argmin()])
            at = turn * len(ref) + a - off - int(np.median(path[inside])) * HOP
            if at < 0 or at + (b - a) > len(got):
                continue  # only a part of it was recorded
            heard.append({"word": w["word"], "lang": w["lang"], "at": at / FS, "score": round(word_score(ref[a:b], got, at), 3)})
    lost = [h for h in heard if h["score"] < HEARD]
    langs = {k: round(float(np.mean([h["score"] for h in heard if h["lang"] == k])), 3) for k in sorted({h["lang"] for h in heard})}
    return {"stoi": round(stoi, 3), "estoi": round(estoi, 3), "sure": round(sure, 3), "words": len(heard), "lost": lost, "languages": langs,
            "worst": min((h["score"] for h in heard), default=0)}


def reference(where, voice):
    with wave.open(f"{where}/{voice}.wav") as w:
        x = np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float)
    with open(f"{where}/words.json") as f:
        return resample_poly(x, FS, 48000), json.load(f)[voice]


def check(where):
    """What the scorer says of sounds whose damage is known; each line is one that the tests hold it to."""
    rng = np.random.default_rng(1)
    out = {}
    ref, words = reference(where, "caller")
    turn = np.roll(np.tile(ref, 2), -31234)[: len(ref) + 2 * FS]
    out["itself"] = score(ref, words, turn)
    late = np.concatenate([turn[: 5 * FS], turn[5 * FS - 2600 : 9 * FS], turn[9 * FS - 1800 :]])
    out["stretched"] = score(ref, words, late)
    out["backwards"] = score(ref, words, turn[::-1])

    def cut(seconds):
        y = turn.copy()
        off = 31234
        for w in words:
            mid = int((w["from"] + w["to"]) / 2 * FS)
            for t in (0, 1):
                a = mid - off + t * len(ref) - int(seconds / 2 * FS)
                if a > 0:
                    y[a : a + int(seconds * FS)] = rng.normal(0, 1, len(y[a : a + int(seconds * FS)]))
        return score(ref, words, y)

    for ms in (20, 60, 160, 300):
        out[f"hole{ms}"] = cut(ms / 1000)
    for loss in (10, 30, 50):
        y = turn.copy()
        for a in range(0, len(y), 200):
            if rng.random() < loss / 100:
                y[a : a + 200] = 0
        out[f"loss{loss}"] = score(ref, words, y)
    return {k: {**v, "lost": len(v["lost"])} for k, v in out.items()}


def main():
    if sys.argv[1] == "--check":
        print(json.dumps(check(sys.argv[2])))
        return
    where, voice, file, rate = sys.argv[1:5]
    ref, words = reference(where, voice)
    got = resample_poly(np.fromfile(file, "<f4").astype(float) * 32768, FS, int(float(rate)))
    print(json.dumps(score(ref, words, got), ensure_ascii=False))


if __name__ == "__main__":
    main()
