// Put a text into an element: words that are new appear one after the other, links can be followed. No HTML is parsed.

const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]]/g;

// Show `text`; where it moves and goes on from what is there, only the new part is added.
export function show(element, text, { moves = false } = {}) {
  const shown = element.textContent;
  if (shown === text) return;
  if (moves && text.startsWith(shown)) {
    element.append(moving(text.slice(shown.length), waiting(element)));
  } else {
    element.replaceChildren(...still(text));
  }
}

function moving(text, begin) {
  const part = document.createDocumentFragment();
  let place = begin;
  for (const piece of text.split(/(\s+)/)) {
    if (!piece || /^\s+$/.test(piece)) {
      part.append(piece);
      continue;
    }
    const word = document.createElement("span");
    word.className = "word";
    word.style.setProperty("--place", String(place));
    word.append(...still(piece));
    part.append(word);
    place += 1;
  }
  return part;
}

// How many words of this element have not appeared yet: the next sentence waits for them.
function waiting(element) {
  const moves = element.getAnimations?.({ subtree: true }) ?? [];
  return moves.filter((move) => move.playState === "running").length;
}

function still(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = document.createElement("a");
    link.href = match[0];
    link.rel = "noopener noreferrer";
    link.target = "_blank";
    link.append(match[0]);
    parts.push(text.slice(end, match.index), link);
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}
