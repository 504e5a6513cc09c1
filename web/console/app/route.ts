/** The view that is shown, in the address bar: `#/groups/sip%3Afire%40example.org`. */
import { computed, signal } from "@preact/signals";

export const VIEWS = ["groups", "users", "kms", "calls", "history", "log", "servers"] as const;
export type View = (typeof VIEWS)[number];

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

const parts = computed(() => hash.value.replace(/^#\//, "").split("/"));

export const view = computed<View>(() => VIEWS.find((name) => name === parts.value[0]) ?? "groups");

/** The group, or the user, that is looked at. */
export const subject = computed(() => {
  const [, text] = parts.value;
  try {
    return text === undefined || text === "" ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
});

export function hrefOf(to: View, of?: string): string {
  return of === undefined ? `#/${to}` : `#/${to}/${encodeURIComponent(of)}`;
}

export function go(to: View, of?: string): void {
  location.hash = hrefOf(to, of);
}
