// Where the person writes: Enter sends, Shift+Enter breaks the line, the field grows, a draft survives a reload.

const DRAFT = "coach-draft";
const LONGEST = 4_096; // characters; the gateway's own limit
const COUNT_FROM = 3_600;

export class Composer {
  #text;
  #hint;
  #say;

  constructor(form, text, hint, say) {
    this.#text = text;
    this.#hint = hint;
    this.#say = say;
    // On a phone's keyboard Enter is the only way to break a line.
    const touch = matchMedia("(pointer: coarse)").matches;
    if (touch) text.enterKeyHint = "enter";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch) return;
      event.preventDefault();
      this.#send();
    });
    text.addEventListener("input", () => this.#changed());
    text.value = draft();
    this.#changed();
  }

  // Put a suggestion into the field, to be changed or sent.
  fill(words) {
    this.#text.value = words;
    this.#changed();
    this.#text.focus();
  }

  #send() {
    const words = this.#text.value.trim();
    if (!words) {
      this.#tell("Write something first.");
    } else if (count(words) > LONGEST) {
      this.#tell(`That is ${count(words) - LONGEST} characters too long. Send it in parts.`, "alert");
    } else {
      this.#text.value = "";
      this.#changed();
      this.#say(words);
    }
    this.#text.focus();
  }

  #changed() {
    const { value } = this.#text;
    keep(value);
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
    const over = count(value) - LONGEST;
    if (over < COUNT_FROM - LONGEST) this.#tell("");
    else this.#tell(over > 0 ? `${over} characters too long` : `${-over} characters left`, over > 0 ? "alert" : "");
  }

  #tell(words, kind = "") {
    this.#hint.dataset.kind = kind;
    if (this.#hint.textContent !== words) this.#hint.textContent = words;
  }
}

// Characters as the gateway counts them, not the halves of which some are made here.
function count(words) {
  return [...words].length;
}

function draft() {
  try {
    return sessionStorage.getItem(DRAFT) ?? "";
  } catch {
    return "";
  }
}

function keep(value) {
  try {
    sessionStorage.setItem(DRAFT, value);
  } catch {
    // Without storage a reload loses the draft.
  }
}
