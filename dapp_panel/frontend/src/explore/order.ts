// Names that have an order of their own stand in it, and not by how many there are: agreement, months, sizes, ranges of ages.

const SCALES: string[][] = [
  ["strongly disagree", "disagree", "somewhat disagree", "neither agree nor disagree", "neutral", "undecided", "somewhat agree", "agree", "strongly agree"],
  [
    "very dissatisfied",
    "dissatisfied",
    "somewhat dissatisfied",
    "neither satisfied nor dissatisfied",
    "neutral",
    "somewhat satisfied",
    "satisfied",
    "very satisfied",
  ],
  ["very unlikely", "unlikely", "neutral", "likely", "very likely"],
  ["never", "rarely", "seldom", "sometimes", "often", "usually", "always"],
  ["very poor", "poor", "fair", "average", "good", "very good", "excellent"],
  ["very bad", "bad", "ok", "okay", "good", "very good"],
  ["below", "meets", "exceeds"],
  ["none", "very low", "low", "medium", "moderate", "high", "very high", "critical"],
  ["xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"],
  ["small", "medium", "large", "extra large"],
  ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
  ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
  ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"],
  ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
];

/** "18-24", "55+", "250 or more employees", "< 10": a number, and something that makes a range of it. */
const RANGE = /^([<>≤≥]?)\s*[$€£]?\s*(\d[\d,.]*)\s*[%k]?\s*(?:-|–|to\b|\+|or\b|and\b|[a-z%]|$)/i;

/** The places of names in their own order; null when they have none. */
export function ownOrder(names: unknown[]): number[] | null {
  const texts = names.map((each) => (typeof each === "string" ? each.trim().toLowerCase() : null));
  if (names.length < 3 || texts.includes(null)) return null;
  const words = texts as string[];
  const scale = SCALES.find((each) => words.every((word) => each.includes(word)));
  const places = scale ? words.map((word) => scale.indexOf(word)) : rangesOf(words);
  return places && names.map((_, at) => at).sort((a, b) => (places[a] as number) - (places[b] as number));
}

function rangesOf(words: string[]): number[] | null {
  const found = words.map((each) => RANGE.exec(each));
  // A list of plain numbers, or of codes such as "3a", is no list of ranges.
  if (!found.every(Boolean) || !words.some((each) => /\d\s*(?:-|–|to)\s*\d/.test(each))) return null;
  return found.map((each) => Number(each?.[2]?.replaceAll(",", "")) + (each?.[1] === "<" || each?.[1] === "≤" ? -0.5 : each?.[1] ? 0.5 : 0));
}

/** The entries in another order. */
export function taken<T>(list: T[], order: number[]): T[] {
  return order.map((at) => list[at] as T);
}
