/** The line of a page that tells its user what has happened. Screen readers say it once; it goes when it no longer holds. */
import { computed, effect, signal } from "@preact/signals-core";

/** Milliseconds for which a notice stays that nothing else ends. */
const STAY_MS = 30_000;

interface Terms {
  /** Whether the notice still holds, told from signals: it goes for good when it does not. */
  readonly holds?: () => boolean;
  /** Milliseconds after which the notice goes in any case. Half a minute when neither this nor `holds` is given. */
  readonly forMs?: number | undefined;
}

const said = signal<(Terms & { readonly text: string }) | undefined>(undefined);
export const notice = computed(() => said.value?.text ?? "");

let end: ReturnType<typeof setTimeout> | undefined;

/** Shows a notice in place of the one before. */
export function say(text: string, terms: Terms = { forMs: STAY_MS }): void {
  clearTimeout(end);
  said.value = { text, ...terms };
  if (terms.forMs !== undefined) end = setTimeout(unsay, terms.forMs);
}

function unsay(): void {
  said.value = undefined;
}

effect(() => {
  if (said.value?.holds?.() === false) unsay();
});
