"""Fills the store of a gateway that does not run with plausible contacts of a city, for pictures and for
measuring. Nothing of it is shipped. Rows without records: a case can be counted and listed, not opened.

    python3 e2e/city.py DATA/jedel.db CONTACTS YEARS [HOURS_AGO]

Four contacts of five are reports; evenings and weekends are busy, winters quiet. The last of them is
HOURS_AGO hours old (0).
"""
import datetime
import math
import random
import sqlite3
import sys

KINDS = ["parking", "noise", "smoking", "traffic", "order", "red_light", "driving", "theft", "violence", "domestic", "road", "medical", "missing", "information", "false", "other"]
UNITS = ["north", "south", "centre", "station", "east"]
OUTCOMES = ["measures", "warned", "protocol", "not_found", "passed", "advised", "no_contact", "false"]
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ZONE = datetime.timezone(datetime.timedelta(hours=5))


def ident(r, us):
    """26 letters as the gateway's own: 48 bits of milliseconds, 80 of chance."""
    n = (us // 1000 << 80) | r.getrandbits(80)
    return "".join(LETTERS[n >> (5 * i) & 31] for i in range(25, -1, -1))


def skewed(r, words):
    return words[int(len(words) * r.random() * r.random())]


def lasts(r, median):
    """A time around a median in seconds, as microseconds."""
    return int(median * math.exp(0.6 * r.gauss(0, 1)) * 1e6)


def moments(r, n, begin, end):
    while n > 0:
        at = begin + r.random() * (end - begin)
        local = datetime.datetime.fromtimestamp(at, ZONE)
        weight = 0.35 + 0.65 * math.exp(-(((local.hour - 20) / 4.5) ** 2))
        weight *= 1 + 0.2 * math.cos(2 * math.pi * (local.timetuple().tm_yday - 196) / 365)
        weight *= 1.3 if local.weekday() >= 5 else 1
        if r.random() * 1.6 <= weight:
            n -= 1
            yield int(at * 1e6)


def contact(r, us, now, i):
    id, report = ident(r, us), r.random() < 0.8
    kind, unit = skewed(r, KINDS), r.choice(UNITS)
    abandoned = not report and r.random() < 0.03
    answered = ended = 0
    if not report:
        answered = 0 if abandoned else us + lasts(r, 6)
        ended = us + lasts(r, 25) if abandoned else answered + lasts(r, 170)
    sent = us + lasts(r, 180) if r.random() < 0.33 else 0
    arrived = sent + lasts(r, 480) if sent else 0
    replied = us + lasts(r, 5400 if report else 1500)
    if replied > now or (now - us < 10 * 86400e6 and r.random() < 0.02):
        replied = 0
    closed = replied
    if ended > now:
        ended = now
    number = f"D{i:07d}"
    case = (id, number, 1, "report" if report else "call", kind, r.randint(1, 3), unit, "closed" if closed else "registered", "", "", "", "", 54.8753 + r.gauss(0, 0.02), 69.1628 + r.gauss(0, 0.03),
            us, us, min(sent, now), min(arrived, now), closed, replied, 0, skewed(r, OUTCOMES) if closed else "", "", max(us, replied), "")
    call = None if report else (id, number, id, id, "", "", "", "voice" if r.random() < 0.5 else "video", "kk", "ended", 2, "", "", us, answered, ended, "abandoned" if abandoned else "caller",
                                kind, "", "done" if abandoned else "", 1, "city", 0, 1, "", "", "")
    return case, call


def main(path, n, years, ago):
    r = random.Random(102)
    now = datetime.datetime.now().timestamp() - ago * 3600
    db = sqlite3.connect(path)
    db.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;")
    cases, calls = [], []

    def flush():
        db.executemany(f"INSERT INTO cases VALUES ({','.join('?' * 25)})", cases)
        db.executemany(f"INSERT INTO calls VALUES ({','.join('?' * 27)})", calls)
        db.executemany("INSERT INTO case_recordings VALUES (?, ?)", [(c[0], c[0]) for c in cases])
        cases.clear()
        calls.clear()

    for i, us in enumerate(moments(r, n, now - years * 365.25 * 86400, now)):
        case, call = contact(r, us, int(now * 1e6), i)
        cases.append(case)
        if call:
            calls.append(call)
        if len(cases) == 20000:
            flush()
    flush()
    db.commit()
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 0)
