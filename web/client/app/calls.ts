/**
 * The user's part in calls, which the push-to-talk page and the dispatchers of the console have in common: the two workers, what
 * they tell as signals, and what is asked of them.
 */
import { batch, effect, signal } from "@preact/signals-core";
import type { PageConfig } from "../config.ts";
import type { FloorView, FromKeys, FromMedia, MediaCounts, TextView, ToMedia } from "../messages.ts";
import { hasOpus } from "../opus.ts";
import { type Audio, openAudio } from "./audio.ts";
import { listenToKeys, tellKeys } from "./keys-worker.ts";
import { shortName } from "./names.ts";
import { say } from "./notice.ts";
import { play, type Sound } from "./sounds.ts";

/** The MC user that takes part; undefined: nobody has joined. */
export const user = signal<string | undefined>(undefined);
/** By group, or by the other user of a private call. */
export const floors = signal<ReadonlyMap<string, FloorView>>(new Map());
/** Whether there is a connection for the media, by group. */
export const sockets = signal<ReadonlyMap<string, boolean>>(new Map());
/** Short data, the oldest first. */
export const texts = signal<readonly TextView[]>([]);
export const connected = signal({ gms: false, mcx: false });
export const microphone = signal<"on" | "listen-only" | "none">("on");
/** Seconds until one's own right to talk ends, while there is one. */
export const left = signal<number | undefined>(undefined);
/** Whether the page is on the screen. */
export const isSeen = signal(!document.hidden);

export const MEDIA_WORKER = "media-worker.js";
/** Milliseconds between looks at the time that is left. */
const LOOK_MS = 250;
/** Milliseconds for which the page says that a talk was refused, or was ended by others. */
const REFUSED_MS = 5000;

let audio: Audio | undefined;
let mediaWorker: Worker | undefined;
let counted: ((counts: MediaCounts) => void) | undefined;
let limit: ReturnType<typeof setTimeout> | undefined;

export interface JoinOptions {
  readonly listenOnly: boolean;
  readonly config: PageConfig;
  /** The groups whose calls are joined; all when undefined. */
  readonly groups?: readonly string[];
  /** The groups whose texts the user sees, told from signals. */
  readonly shown: () => readonly string[];
  /** Takes what only one of the pages shows. */
  readonly ofKeys: (message: FromKeys) => void;
  readonly ofMedia?: (message: FromMedia) => void;
}

/** By a gesture of the user, as browsers want it for sound. The workers have begun when this returns its promise. */
export async function join(as: string, options: JoinOptions): Promise<Audio> {
  const { listenOnly, config, groups, shown } = options;
  localStorage.setItem("user", as);
  const media = new Worker(MEDIA_WORKER, { type: "module" });
  mediaWorker = media;
  media.onmessage = ({ data }: MessageEvent<FromMedia>) =>
    batch(() => {
      options.ofMedia?.(data);
      ofMedia(data);
    });
  media.onerror = ({ message }) => say(message);
  listenToKeys((message) =>
    batch(() => {
      ofKeys(message);
      options.ofKeys(message);
    }),
  );
  const { port1, port2 } = new MessageChannel();
  tellMedia({ type: "keys", port: port1 }, [port1]);
  const opening = openAudio(!listenOnly);
  const start = { user: as, config, media: port2, hasOpus: await hasOpus(), ...(groups && { groups }) };
  user.value = as;
  tellKeys({ type: "start", ...start }, [port2]);
  effect(() => tellKeys({ type: "shown", groups: isSeen.value ? shown() : [] }));
  audio = await opening;
  const { capture, play: out, fault } = audio;
  microphone.value = listenOnly ? "listen-only" : capture === undefined ? "none" : "on";
  if (fault !== undefined) say(`No microphone (${fault}): you can listen`);
  tellMedia({ type: "audio", capture, play: out }, [out, ...(capture ? [capture] : [])]);
  return audio;
}

export function request(group: string, isEmergency = false): void {
  tellMedia({ type: "request", group, isEmergency });
}

export function release(): void {
  tellMedia({ type: "release" });
}

/** Sends a text to a group, or when there is a connection again. */
export function sendTextTo(group: string, text: string): void {
  if (text.trim() !== "") tellKeys({ type: "text", group, text: text.trim() });
}

/** Whether the user has the floor of a group or has asked for it. */
export function wantsFloor(group: string | undefined): boolean {
  const state = group === undefined ? undefined : floors.value.get(group)?.state;
  return state === "granted" || state === "pending" || state === "queued";
}

/** For measurements: what became of packets. */
export function countPackets(): Promise<MediaCounts> {
  tellMedia({ type: "count" });
  return new Promise((resolve) => {
    counted = resolve;
  });
}

export function sound(which: Sound): void {
  if (audio !== undefined) play(audio.context, which);
}

export function tellMedia(message: ToMedia, transfer: Transferable[] = []): void {
  mediaWorker?.postMessage(message, transfer);
}

function ofKeys(message: FromKeys): void {
  switch (message.type) {
    case "text": {
      const { id, from } = message.text;
      const others = texts.value.filter((text) => text.id !== id || text.from !== from);
      texts.value = [...others, message.text].sort((a, b) => a.at - b.at);
      break;
    }
    case "connected":
      connected.value = { ...connected.value, [message.server]: message.isConnected };
      break;
    case "fault":
      say(message.text);
      break;
  }
}

function ofMedia(message: FromMedia): void {
  switch (message.type) {
    case "floor":
      floorChanged(message);
      break;
    case "socket":
      // The floor is given back, as nobody hears what is said now.
      if (!message.isOpen && hasFloor(message.group))
        lose("lost", message.group, `The connection to ${shortName(message.group)} was lost`);
      sockets.value = new Map(sockets.value).set(message.group, message.isOpen);
      break;
    case "counts":
      counted?.(message.counts);
      break;
  }
}

function hasFloor(group: string): boolean {
  return floors.value.get(group)?.state === "granted";
}

function hasAnyFloor(): boolean {
  return [...floors.value.keys()].some(hasFloor);
}

function floorChanged(now: FloorView): void {
  const { group, state, lost, talker } = now;
  const before = floors.value.get(group)?.state;
  const isFirst = !hasAnyFloor();
  floors.value = new Map(floors.value).set(group, now);
  const name = shortName(group);
  if (state === "granted" && before !== "granted") {
    if (isFirst) {
      sound("granted");
      countDown(now.left === undefined ? undefined : performance.now() + now.left);
    }
    say(`You have the floor of ${name}`, { holds: () => hasFloor(group) });
  } else if (lost === "denied") {
    const why = talker === undefined ? "" : `: ${shortName(talker)} is talking`;
    lose("refused", group, `Refused by ${name}${why}`, talker);
  } else if (lost === "timed-out") {
    lose("refused", group, `No answer from ${name}`);
  } else if (lost === "revoked") {
    lose("lost", group, `The floor of ${name} was taken away`);
  } else if (state === "queued" && before !== "queued") {
    sound("refused");
  }
  if (!hasAnyFloor()) countDown(undefined);
}

/** The user does not talk, and is told why for some seconds: until they ask again, or until whoever talks has ended. */
function lose(which: Sound, group: string, why: string, talker?: string): void {
  sound(which);
  const holds = () => {
    const now = floors.value.get(group);
    const asksAgain = now?.state === "pending" || now?.state === "queued";
    return !asksAgain && (talker === undefined || now?.talker === talker);
  };
  say(why, { holds, forMs: REFUSED_MS });
}

/** To the end of one's own right to talk, when the floor is given back. */
function countDown(until: number | undefined): void {
  clearTimeout(limit);
  const ms = until === undefined ? undefined : until - performance.now();
  left.value = ms && Math.max(0, Math.ceil(ms / 1000));
  if (ms === undefined) return;
  if (ms <= 0) release();
  else limit = setTimeout(countDown, Math.min(ms, LOOK_MS), until);
}

// Nobody knows that a key was released behind another window.
addEventListener("blur", release);
addEventListener("pagehide", release);
addEventListener("offline", release);
document.addEventListener("visibilitychange", () => {
  isSeen.value = !document.hidden;
  if (document.hidden) release();
});
