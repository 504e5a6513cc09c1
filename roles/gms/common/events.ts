/** Tells the parts of this process what has happened. */
import { loggable } from "./errors.ts";
import type { GmsLog } from "./log.ts";
import type { GmsEvents } from "./ports.ts";

export interface EventHub {
  /** Tells all listeners; one that throws is logged, and the others are told all the same. */
  readonly tell: GmsEvents;
  /** Adds a listener; returns what takes it away. */
  on(events: Partial<GmsEvents>): () => void;
}

export function createEvents(log: GmsLog): EventHub {
  const listeners = new Set<Partial<GmsEvents>>();

  function each(call: (listener: Partial<GmsEvents>) => void): void {
    for (const listener of [...listeners]) {
      try {
        call(listener);
      } catch (error) {
        log.error(loggable(error), "a listener failed");
      }
    }
  }

  return {
    tell: {
      sealed: (memberUris) => each((listener) => listener.sealed?.(memberUris)),
      groupsChanged: (groupUris) => each((listener) => listener.groupsChanged?.(groupUris)),
      rekeyProgress: (rekey) => each((listener) => listener.rekeyProgress?.(rekey)),
    },
    on(events) {
      // A copy, so that one object may be added twice and taken away once.
      const listener = { ...events };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
