/** The page's worker of keys, from when it is first needed. */
import type { FromKeys, ToKeys } from "../messages.ts";

let worker: Worker | undefined;
const listeners = new Set<(message: FromKeys) => void>();

export function listenToKeys(listener: (message: FromKeys) => void): void {
  listeners.add(listener);
}

export function tellKeys(message: ToKeys, transfer: Transferable[] = []): void {
  worker ??= begun();
  worker.postMessage(message, transfer);
}

function begun(): Worker {
  const keys = new Worker("keys-worker.js", { type: "module" });
  const tell = (message: FromKeys) => {
    for (const listener of listeners) listener(message);
  };
  keys.onmessage = ({ data }: MessageEvent<FromKeys>) => tell(data);
  keys.onerror = ({ message }) => tell({ type: "fault", text: message });
  return keys;
}
