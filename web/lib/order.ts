/** Which words go first where few get through at a time. */
const first = ["call.create", "call.end", "position.report", "chat.send", "contact.set", "media.status", "voice.piece"];

/** 0 goes before everything. */
export function importance(type: string): number {
  const i = first.indexOf(type);
  return i < 0 ? first.length : i;
}

/** Words of people; the rest waits for them on a thin line. */
export function urgent(type: string): boolean {
  return importance(type) < importance("voice.piece");
}
