// Fields with a sentence beside them that says what to correct, heard with the field.

import { WORDS } from "./words.js";

// Show what is wrong with each field of {field: sentence}; fields without one are cleared. Focuses the first wrong one.
export function tell(form, problems) {
  let first = null;
  for (const place of form.querySelectorAll(".problem")) {
    const name = place.dataset.field;
    const field = form.elements[name];
    place.textContent = problems[name] ?? "";
    for (const input of field instanceof RadioNodeList ? field : [field]) {
      if (!input) continue;
      if (problems[name]) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      if (problems[name]) first ??= input;
    }
  }
  first?.focus();
  return first !== null;
}

// A refusal in the panel's words; coaching's own sentence where it alone knows what to do.
export function sentence({ status, code, detail, message, retryAfter }) {
  if (!status || code === "unavailable" || code === "timed_out") return WORDS.away;
  if (code === "rate_limited") return WORDS.wait(retryAfter || 5);
  if (code === "too_many") return WORDS.tooMany;
  if (code === "not_known_yet") return WORDS.unknown;
  return detail || message;
}

// The problems of a refusal by field: {field: sentence}, or none where it is about the whole.
export function byField(problem, names) {
  const name = names[problem.field];
  return name ? { [name]: name === "zone" ? WORDS.noZone : sentence(problem) } : {};
}

export function fillZones(select, zones, chosen) {
  if (select.options.length !== zones.length || ![...select.options].some(({ value }) => value === chosen)) {
    select.replaceChildren(...zones.map((zone) => new Option(zone.replaceAll("_", " "), zone)));
  }
  select.value = chosen;
}
