/** Takes everything off the screen and out of the page. */
export function wipe(): void {
  document.documentElement.replaceChildren();
}

/** Leaves for a page that tells nothing; Back does not return here. */
export function leave(): void {
  wipe();
  location.replace("https://kk.wikipedia.org/");
}

/** Three presses of Shift within two seconds leave too. Returns what ends the listening. */
export function onShifts(): () => void {
  const pressed: number[] = [];
  const key = (e: KeyboardEvent) => {
    if (e.code !== "ShiftLeft" && e.code !== "ShiftRight") return;
    pressed.push(e.timeStamp);
    const third = pressed.at(-3);
    if (third !== undefined && e.timeStamp - third < 2000) leave();
  };
  addEventListener("keyup", key);
  return () => removeEventListener("keyup", key);
}
