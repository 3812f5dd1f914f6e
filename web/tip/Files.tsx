import { useState } from "preact/hooks";
import { maxFiles } from "./letter";
import { type Prepared, prepare } from "./picture";
import type { Say } from "./words";

interface Props {
  say: Say;
  files: Prepared[];
  classes: number[];
  onChange: (f: Prepared[]) => void;
  onWrong: (words: string) => void;
}

/** The files of a letter, each with what was done to it. */
export function Files({ say, files, classes, onChange, onWrong }: Props) {
  const [names, setNames] = useState(false);
  const [busy, setBusy] = useState(false);
  const most = (classes.at(-1) ?? 0) * 0.99;
  const add = async (list: File[]) => {
    onWrong("");
    setBusy(true);
    const all = [...files];
    for (const f of list) {
      if (all.length >= maxFiles) {
        onWrong(say("too.many", { n: maxFiles }));
        break;
      }
      try {
        const next = f.size > most * 3 ? null : await prepare(f, all.length + 1, names); // drawn anew even a large photo becomes small
        if (!next || [...all, next].reduce((n, p) => n + p.part.data.length, 0) > most) {
          onWrong(say("too.big"));
          break;
        }
        all.push(next);
      } catch {
        onWrong(say("failed"));
      }
    }
    setBusy(false);
    onChange(all);
  };
  return (
    <fieldset>
      <legend>{say("files")}</legend>
      <p class="small">{say("risk.files")}</p>
      <label class="choice">
        <input type="checkbox" checked={names} disabled={files.length > 0} onChange={(e) => setNames(e.currentTarget.checked)} />
        {say("names")}
      </label>
      <p class="small">{say("names.what")}</p>
      {files.length > 0 && (
        <ul class="files">
          {files.map((f, i) => (
            <li key={i}>
              <span>
                <b>{f.part.name}</b> <span class="small">{say("file.size", { kb: Math.ceil(f.part.data.length / 1024) })}</span>
                <span class={f.cleaned === "asis" ? "asis" : "small"}>{say(`file.${f.cleaned}`)}</span>
              </span>
              <button type="button" aria-label={say("remove", { name: f.part.name })} onClick={() => onChange(files.filter((x) => x !== f))}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <label class="pick" aria-disabled={busy}>
        {say(busy ? "reading" : "pick")}
        <input
          type="file"
          multiple
          disabled={busy}
          onChange={(e) => {
            const list = [...(e.currentTarget.files ?? [])];
            e.currentTarget.value = "";
            void add(list);
          }}
        />
      </label>
    </fieldset>
  );
}
