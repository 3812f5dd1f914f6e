// The scorer of the loss matrix says what it should of sounds whose damage is known. The matrix itself is `make matrix`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import * as w from "./world.mjs";

test("speech is scored by what is left of it, and a word counts as heard until a syllable is gone", (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-speech-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const python = (...a) => execFileSync("/usr/bin/python3", [path.join(w.root, "e2e/loss", a[0]), ...a.slice(1)], { timeout: 60000 }).toString();
  python("speech.py", dir);
  const s = JSON.parse(python("score.py", "--check", dir));
  assert.ok(s.itself.stoi > 0.999 && s.itself.estoi > 0.999 && s.itself.worst > 0.999, JSON.stringify(s.itself));
  assert.deepEqual(Object.keys(s.itself.languages), ["en", "kk", "ru"]);
  assert.ok(s.itself.words >= 25, "all words were looked for");
  assert.ok(s.stretched.lost === 0 && s.stretched.worst > 0.95, `a jitter buffer's stretching is no damage: ${JSON.stringify(s.stretched)}`);
  assert.ok(s.backwards.estoi < 0.2 && s.backwards.lost === s.backwards.words, `noise is no speech: ${JSON.stringify(s.backwards)}`);
  assert.equal(s.hole20.lost + s.hole60.lost, 0, "60 ms gone from the middle of every word: all are heard");
  assert.ok(s.hole160.lost > s.hole160.words / 3, `a syllable gone: ${JSON.stringify(s.hole160)}`);
  assert.ok(s.hole300.lost > 0.9 * s.hole300.words, `most of the word gone: ${JSON.stringify(s.hole300)}`);
  assert.ok(s.loss10.stoi > s.loss30.stoi && s.loss30.stoi > s.loss50.stoi && s.loss50.estoi < 0.6, "more loss, worse score");
});
