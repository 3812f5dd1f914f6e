import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { type ThemeWish, useConsole } from "./context";
import { type Act, acts, bindable, chordOf, defaults, isRoom, label, rebind, saveKeys } from "./keys";
import { clampVolume, leastVolume } from "./sounds";
import { useWhere } from "./useRoom";

/** The keys, each of which can be changed, and how loud the bell is. */
export function Cheat({ onClose }: { onClose: () => void }) {
  const { keys, setKeys, desk, themeWish, setTheme, signOut } = useConsole();
  const { rooms } = useWhere();
  const box = useRef<HTMLDialogElement>(null);
  const [changing, setChanging] = useState<Act>();
  const [refused, setRefused] = useState(false);
  useEffect(() => box.current?.showModal(), []);
  const put = (map: typeof keys) => {
    setKeys(map);
    saveKeys(localStorage, map);
  };
  const capture = (e: KeyboardEvent) => {
    if (!changing) return;
    const chord = chordOf(e);
    e.preventDefault();
    e.stopPropagation();
    if (!chord) return;
    if (chord === "Escape") return setChanging(undefined);
    setRefused(!bindable(chord));
    if (!bindable(chord)) return;
    put(rebind(keys, changing, chord));
    setChanging(undefined);
  };
  return (
    <dialog ref={box} class="cheat" aria-label={t("keys.title")} onClose={onClose} onKeyDown={capture} data-capturing={changing ? "" : undefined}>
      <h2>{t("keys.title")}</h2>
      <p class="hint">{t("keys.hint")}</p>
      {refused && <p class="bad" role="alert">{t("keys.refused")}</p>}
      <ul>
        {acts.filter((act) => !isRoom(act) || (rooms.length > 1 && rooms.some((r) => r.id === act))).map((act) => (
          <li key={act}>
            <span>{t(`act.${act}`)}</span>
            <button type="button" aria-label={t("keys.change", { act: t(`act.${act}`), key: label(keys[act]) })} onClick={() => setChanging(act)}>
              {changing === act ? t("keys.press") : <kbd>{label(keys[act])}</kbd>}
            </button>
          </li>
        ))}
        {rooms.some((r) => r.id === "board") && (
          <>
            <li><span>{t("act.propose")}</span><kbd>Alt+1 … Alt+5</kbd></li>
            <li><span>{t("act.undo")}</span><kbd>Ctrl+Z</kbd></li>
          </>
        )}
        <li><span>{t("act.send")}</span><kbd>Enter</kbd></li>
        <li><span>{t("act.back")}</span><kbd>Esc</kbd></li>
      </ul>
      <div class="row">
        <Volume />
        <label class="field">
          {t("theme")}
          <select value={themeWish} onChange={(e) => setTheme(e.currentTarget.value as ThemeWish)}>
            {(["auto", "dark", "light"] as const).map((w) => <option key={w} value={w}>{t(`theme.${w}`)}</option>)}
          </select>
        </label>
        <button type="button" onClick={() => desk.ringer.unlock().then(() => desk.ringer.play("voice"))}>{t("volume.try")}</button>
      </div>
      <p class="row">
        <button type="button" onClick={() => put(defaults)}>{t("keys.reset")}</button>
        <button type="button" onClick={signOut}>{t("signout")}</button>
        <span class="grow" />
        <button type="button" class="go" autofocus onClick={() => box.current?.close()}>{t("close")}</button>
      </p>
    </dialog>
  );
}

export const volumeKey = "jedel.console.volume";

/** The volume of the bell; it does not reach zero, so that no call rings unheard. */
function Volume() {
  const { desk } = useConsole();
  const [value, setValue] = useState(desk.ringer.volume);
  const set = (v: number) => {
    desk.ringer.volume = clampVolume(v);
    setValue(desk.ringer.volume);
    localStorage.setItem(volumeKey, String(desk.ringer.volume));
  };
  return (
    <label class="field">
      {t("volume")}
      <input type="range" min={leastVolume} max={1} step={0.05} value={value} onInput={(e) => set(Number(e.currentTarget.value))} />
    </label>
  );
}
