// Messages that are written but not yet stored, kept over a reload of this tab. Sending one again is safe: it keeps its id.

const KEY = "coach-unsent";

export function unsent() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

export function remember(entries) {
  const kept = entries.map(({ key, text }) => ({ id: key, text }));
  try {
    if (kept.length) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is full or switched off: a reload would lose what is not sent yet, and nothing else.
  }
}
