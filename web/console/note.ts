/** The operator's note while it is written: what stands in the field and what the gateway has. */
export interface Note {
  call: string;
  text: string;
  /** The text that the gateway confirmed, and its revision. */
  saved: string;
  rev: number;
  /** The text that is on its way. */
  sending?: string;
  /** The last try was refused or had no answer; it is tried again. */
  failed: boolean;
}

export type NoteWord = "empty" | "saved" | "writing" | "saving" | "failed";

/** The note of a card as it opens. A draft left by a reload wins over an older saved text. */
export function openNote(call: string, saved: string, rev: number, draft: string | undefined): Note {
  return { call, text: draft ?? saved, saved, rev, failed: false };
}

export function typed(note: Note, text: string): Note {
  return { ...note, text };
}

/** True when there is something to send and nothing on its way. */
export function wantsSave(note: Note): boolean {
  return note.sending === undefined && note.text !== note.saved;
}

export function sending(note: Note): Note {
  return { ...note, sending: note.text, failed: false };
}

export function sent(note: Note, rev: number): Note {
  return { ...note, saved: note.sending ?? note.saved, sending: undefined, rev, failed: false };
}

export function refused(note: Note): Note {
  return { ...note, sending: undefined, failed: true };
}

/**
 * A card came with a note. A newer revision that is not ours (the same person in the tab before)
 * becomes the new base; what is being typed here stays in the field.
 */
export function rebase(note: Note, text: string, rev: number): Note {
  if (rev <= note.rev) return note;
  const untouched = note.text === note.saved && note.sending === undefined;
  return { ...note, saved: text, rev, text: untouched ? text : note.text };
}

export function wordOf(note: Note): NoteWord {
  if (note.failed) return "failed";
  if (note.sending !== undefined) return "saving";
  if (note.text !== note.saved) return "writing";
  return note.text === "" ? "empty" : "saved";
}
