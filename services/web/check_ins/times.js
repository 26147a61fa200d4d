// Days and times of check-ins in words. No DOM here.

import { LANGUAGE, WORDS } from "./words.js";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WORKDAYS = DAYS.slice(0, 5);
const MONDAY = Date.UTC(2024, 0, 1); // any Monday
const DAY_MILLISECONDS = 86_400_000;

export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// Every zone that the browser knows, the wanted ones among them even where it calls them otherwise.
export function zones(...wanted) {
  return [...new Set([...Intl.supportedValuesOf("timeZone"), "UTC", ...wanted.filter(Boolean)])].sort();
}

export function dayName(day, width = "long") {
  const date = new Date(MONDAY + DAYS.indexOf(day) * DAY_MILLISECONDS);
  return date.toLocaleDateString(LANGUAGE, { weekday: width, timeZone: "UTC" });
}

// A wall-clock time as this device writes times; the form's own fields do the same.
export function clock(time) {
  return inOwnWay(new Date(`2024-01-01T${time}Z`), "UTC");
}

function inOwnWay(at, zone) {
  return at.toLocaleTimeString(undefined, { timeZone: zone, hour: "2-digit", minute: "2-digit" });
}

// "Every day at 08:30"
export function rhythm({ trigger, rule, days, after_days: afterDays, local_time: time }) {
  if (trigger === "inactivity") return WORDS.dayAt(WORDS.silence(afterDays), clock(time));
  return WORDS.dayAt(daysInWords(days) || WORDS.byRule(rule), clock(time));
}

function daysInWords(days) {
  if (days.length === DAYS.length) return WORDS.daily;
  if (days.join() === WORKDAYS.join()) return WORDS.workdays;
  return new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(days.map((day) => dayName(day)));
}

// "tomorrow at 08:30", on the check-in's own clock; where that is not this device's, its zone is named.
export function nextInWords({ next_due_at: iso, time_zone: zone }, now = new Date()) {
  const at = new Date(iso);
  const words = WORDS.dayAt(nextDay(at, zone, now), inOwnWay(at, zone));
  return zone === ownZone() ? words : `${words} ${WORDS.inZone(zone)}`;
}

function nextDay(at, zone, now) {
  const ahead = (dayNumber(at, zone) - dayNumber(now, zone)) / DAY_MILLISECONDS;
  if (ahead === 0) return WORDS.today;
  if (ahead === 1) return WORDS.tomorrow;
  const weekday = { weekday: "long", timeZone: zone };
  return at.toLocaleDateString(LANGUAGE, ahead < 7 ? weekday : { ...weekday, day: "numeric", month: "long" });
}

// The day of a moment in a zone, as milliseconds of its midnight in UTC: days can be subtracted.
function dayNumber(at, zone) {
  return Date.parse(at.toLocaleDateString("sv", { timeZone: zone }));
}

// Whether a wall-clock time lies in the quiet hours, which may go over midnight.
export function isQuiet(time, quiet) {
  if (!quiet || quiet.start === quiet.end) return false;
  if (quiet.start < quiet.end) return time >= quiet.start && time < quiet.end;
  return time >= quiet.start || time < quiet.end;
}
