"""Speech whose words have known places: speech.py DIR makes caller.wav, operator.wav (48 kHz, mono, 16 bit, played in a loop as
microphones) and words.json ({voice: [{"word", "lang", "from", "to"}], in seconds). Each word is spoken alone by espeak-ng with a pause
after it, so that a word's piece of the sound is exactly its own and no cutting of running speech has to be trusted."""
import io, json, subprocess, sys, wave

import numpy as np
from scipy.signal import resample_poly

RATE = 48000
GAP = 0.14  # seconds; shorter runs words together, longer leaves less speech in a run
# What is said on such calls, 102 in three languages. The two ends say it in another order and another pitch.
TEXTS = {
    "kk": "көмек керек үйде өрт шықты балалар қалды Абай көшесі жиырма төрт",
    "ru": "помогите человек ранен нож подъезд второй этаж улица Сатпаева",
    "en-us": "please hurry accident bridge bleeding woman Lenin street seventeen",
}
VOICES = {"caller": (("kk", "ru", "en-us"), 50), "operator": (("en-us", "kk", "ru"), 35)}


def speak(word, lang, pitch):
    raw = subprocess.run(["espeak-ng", "-v", lang, "-p", str(pitch), "-s", "150", "--stdout", word], capture_output=True, check=True, timeout=20).stdout
    with wave.open(io.BytesIO(raw)) as w:
        rate, x = w.getframerate(), np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float)
    loud = np.flatnonzero(np.abs(x) > 300)  # espeak pads with silence
    x = x[loud[0] : loud[-1] + 1]
    return resample_poly(x, RATE // 50, rate // 50)


def main(where):
    places = {}
    for voice, (order, pitch) in VOICES.items():
        sound, places[voice] = [np.zeros(int(GAP * RATE))], []
        at = len(sound[0])
        for lang in order:
            for word in TEXTS[lang].split():
                x = speak(word, lang, pitch)
                places[voice].append({"word": word, "lang": lang[:2], "from": at / RATE, "to": (at + len(x)) / RATE})
                sound += [x, np.zeros(int(GAP * RATE))]
                at += len(x) + int(GAP * RATE)
        x = np.concatenate(sound)
        x *= 12000 / np.abs(x).max()
        with wave.open(f"{where}/{voice}.wav", "wb") as w:
            w.setnchannels(1), w.setsampwidth(2), w.setframerate(RATE)
            w.writeframes(x.astype("<i2").tobytes())
    with open(f"{where}/words.json", "w") as f:
        json.dump(places, f, ensure_ascii=False)


if __name__ == "__main__":
    main(sys.argv[1])
