// Light, dark, or as the system has it. Kept in a cookie, so the server draws the page in it from the first moment.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const chosen = document.documentElement.dataset.theme;
export const theme = signal<Theme>(chosen === "light" || chosen === "dark" ? chosen : "system");
const systemDark = matchMedia("(prefers-color-scheme: dark)");

/** Goes up with each change of colours; charts are drawn anew by it. */
export const colours = signal(0);

systemDark.addEventListener("change", () => {
  if (theme.value === "system") colours.value += 1;
});

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  const age = next === "system" ? 0 : 31_536_000;
  document.cookie = `dapp_theme=${next};path=/;max-age=${age};samesite=lax`;
  colours.value += 1;
}

/** The value of a token as it is now. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
