/** Figures of the servers over the last day, kept while the view that plots them is open. */
import { signal } from "@preact/signals";
import type { HistorySample, HistoryView } from "../../../roles/console/messages.ts";
import type { SeriesName } from "../../../roles/console/series.ts";
import { api } from "./api.ts";

/** As many as the server keeps. */
const MOST_SAMPLES = 24 * 60;

export const history = signal<HistoryView | undefined>(undefined);

export async function loadHistory(): Promise<void> {
  history.value = await api<HistoryView>("GET", "/history");
}

export function takeSample({ at, values }: HistorySample): void {
  const known = history.value;
  if (known === undefined || (known.times.at(-1) ?? 0) >= at) return;
  const longer = { ...known.values };
  for (const name of Object.keys(longer) as SeriesName[])
    longer[name] = [...longer[name], values[name]].slice(-MOST_SAMPLES);
  history.value = { times: [...known.times, at].slice(-MOST_SAMPLES), values: longer };
}
