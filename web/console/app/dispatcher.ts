/**
 * A dispatcher's part in calls: an MC user of their own, by the workers of the push-to-talk page. The state of the workers, as
 * signals, and what is asked of them.
 */
import { batch, effect, signal } from "@preact/signals";
import { defined } from "../../../base/defined.ts";
import { type Audio, openAudio } from "../../client/app/audio.ts";
import { begin, config, leave } from "../../client/app/identity.ts";
import { listenToKeys, tellKeys } from "../../client/app/keys-worker.ts";
import { play, type Sound } from "../../client/app/sounds.ts";
import { isOidc, type PageConfig } from "../../client/config.ts";
import type {
  FloorView,
  FromKeys,
  FromMedia,
  GroupView,
  MediaCounts,
  PrivateCallView,
  ReceiptView,
  TextView,
  ToMedia,
} from "../../client/messages.ts";
import { hasOpus } from "../../client/opus.ts";
import { session } from "./api.ts";
import { go } from "./route.ts";
import { notice } from "./store.ts";
import { shortName } from "./words.ts";

export interface Volume {
  /** In percent. */
  readonly volume: number;
  readonly isMuted: boolean;
}

export const MOST_VOLUME = 100;
const AS_IT_COMES: Volume = { volume: MOST_VOLUME, isMuted: false };

/** The MC user that the dispatcher is in calls; undefined: they have not joined. */
export const dispatcher = signal<string | undefined>(undefined);
/** The groups that the dispatcher is a member of. */
export const memberships = signal<ReadonlyMap<string, GroupView>>(new Map());
export const floors = signal<ReadonlyMap<string, FloorView>>(new Map());
/** Whether there is a connection for the media of a group. */
export const sockets = signal<ReadonlyMap<string, boolean>>(new Map());
export const connected = signal({ gms: false, mcx: false });
export const microphone = signal<"on" | "listen-only" | "none">("on");
/** The groups that the dispatcher listens to. */
export const heard = signal<ReadonlySet<string>>(new Set(kept<readonly string[]>("heard", [])));
/** The groups that the dispatcher talks to at once. */
export const selected = signal<ReadonlySet<string>>(new Set());
/** The messages of all groups, the oldest first. */
export const texts = signal<readonly TextView[]>([]);
/** By message ID. */
export const receipts = signal<ReadonlyMap<string, ReceiptView>>(new Map());
/** The groups whose messages are open. */
const opened = signal<ReadonlySet<string>>(new Set());
export const privateCall = signal<PrivateCallView | undefined>(undefined);
const isSeen = signal(!document.hidden);
const volumes = signal<ReadonlyMap<string, Volume>>(
  new Map(kept<readonly [string, Volume][]>("volumes", [])),
);

let audio: Audio | undefined;
let mediaWorker: Worker | undefined;
let counted: ((counts: MediaCounts) => void) | undefined;
let limit: ReturnType<typeof setTimeout> | undefined;

/** Looks for a session at the identity management server once the console has one, and leaves the calls when that ends. */
export function followSession(): void {
  let hasBegun = false;
  effect(() => {
    const now = session.value;
    if (now?.talks === true && !hasBegun) {
      hasBegun = true;
      allowWorkers();
      const isBack = new URLSearchParams(location.search).has("state");
      void begin().then(() => isBack && go("calls"));
    }
    if (now === undefined && dispatcher.peek() !== undefined) leave();
  });
}

/** The scripts of workers are the only ones that the page's policy of Trusted Types lets through. */
function allowWorkers(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  trustedTypes?.createPolicy("default", {
    createScriptURL: (url) => (WORKERS.includes(url) ? url : undefined),
  });
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string | undefined }): unknown;
}

const MEDIA_WORKER = "media-worker.js";
const WORKERS: readonly string[] = ["keys-worker.js", MEDIA_WORKER];

/** By a gesture of the user, as browsers want it for sound. */
export async function join(user: string, listenOnly: boolean): Promise<void> {
  localStorage.setItem("user", user);
  const media = new Worker(MEDIA_WORKER, { type: "module" });
  mediaWorker = media;
  media.onmessage = ({ data }: MessageEvent<FromMedia>) => batch(() => ofMedia(data));
  media.onerror = ({ message }) => say(message);
  listenToKeys((message) => batch(() => ofKeys(message)));
  const { port1, port2 } = new MessageChannel();
  tellMedia({ type: "keys", port: port1 }, [port1]);
  for (const group of volumes.value.keys()) turn(group);
  const opening = openAudio(!listenOnly);
  const start = { user, config: withSession(config.value!), media: port2, hasOpus: await hasOpus() };
  dispatcher.value = user;
  tellKeys({ type: "start", ...start, groups: [...heard.value] }, [port2]);
  effect(() => tellKeys({ type: "shown", groups: isSeen.value ? [...opened.value] : [] }));
  audio = await opening;
  const { capture, play: out, fault } = audio;
  microphone.value = listenOnly ? "listen-only" : capture === undefined ? "none" : "on";
  if (fault !== undefined) say(`No microphone (${fault}): you can listen`);
  tellMedia({ type: "audio", capture, play: out }, [out, ...(capture ? [capture] : [])]);
}

/** Development tokens are given to the session of the console. */
function withSession({ signIn, ...servers }: PageConfig): PageConfig {
  const headers = session.value ? { "csrf-token": session.value.csrf } : undefined;
  return { ...servers, signIn: isOidc(signIn) ? signIn : { ...signIn, ...defined({ headers }) } };
}

export function listenTo(group: string, isWanted: boolean): void {
  heard.value = changed(heard.value, group, isWanted);
  if (!isWanted) selected.value = changed(selected.value, group, false);
  keep("heard", [...heard.value]);
  tellKeys({ type: "choose", groups: [...heard.value] });
}

export function select(group: string, isWanted: boolean): void {
  selected.value = changed(selected.value, group, isWanted);
}

/** The messages of a group come into view, or go out of it. */
export function openTexts(group: string, isOpen: boolean): void {
  opened.value = changed(opened.value, group, isOpen);
}

/** Sends a text to a group, or when there is a connection again. */
export function sendText(group: string, text: string): void {
  if (text.trim() !== "") tellKeys({ type: "text", group, text: text.trim() });
}

export function volumeOf(group: string): Volume {
  return volumes.value.get(group) ?? AS_IT_COMES;
}

export function setVolume(group: string, change: Partial<Volume>): void {
  volumes.value = new Map(volumes.value).set(group, { ...volumeOf(group), ...change });
  keep("volumes", [...volumes.value]);
  turn(group);
}

function turn(group: string): void {
  const { volume, isMuted } = volumeOf(group);
  tellMedia({ type: "volume", group, volume: isMuted ? 0 : volume / MOST_VOLUME });
}

export function callUser(user: string): void {
  tellKeys({ type: "call-user", user });
}

export function hangUp(): void {
  tellKeys({ type: "hang-up" });
}

/** Whether the dispatcher can ask for the floor of a group, or of the private call with a user. */
export function canTalkTo(group: string): boolean {
  const { user, state } = privateCall.value ?? {};
  if (user === group) return microphone.value === "on" && state === "joined";
  const membership = memberships.value.get(group);
  return microphone.value === "on" && membership?.call === "joined" && membership.key !== undefined;
}

/** Asks for the floor of each of these groups: what is said goes to those that give it. */
export function press(groups: Iterable<string>): void {
  for (const group of groups) if (canTalkTo(group)) tellMedia({ type: "request", group, isEmergency: false });
}

export function release(): void {
  tellMedia({ type: "release" });
}

/** For measurements: decibels of tones in what is played now, and what became of packets. */
export async function figures(tones: readonly number[]) {
  tellMedia({ type: "count" });
  const counts = await new Promise<MediaCounts>((resolve) => {
    counted = resolve;
  });
  return { counts, levels: tones.map((hertz) => levelOf(audio!.analyser, hertz)) };
}

function levelOf(analyser: AnalyserNode, hertz: number): number {
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const at = Math.round((hertz * analyser.fftSize) / analyser.context.sampleRate);
  return Math.max(...bins.subarray(at - BESIDE, at + BESIDE + 1));
}

/** Bins in which the top of a tone may be. */
const BESIDE = 2;

function ofKeys(message: FromKeys): void {
  switch (message.type) {
    case "groups":
      memberships.value = new Map(message.groups.map((group) => [group.uri, group]));
      break;
    case "text": {
      const { id, from } = message.text;
      const others = texts.value.filter((text) => text.id !== id || text.from !== from);
      texts.value = [...others, message.text].sort((a, b) => a.at - b.at);
      break;
    }
    case "receipt":
      receipts.value = new Map(receipts.value).set(message.receipt.messageId, message.receipt);
      break;
    case "private-call":
      privateCall.value = message.call;
      break;
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
      if (!message.isOpen && hasFloor(message.group)) {
        sound("lost");
        say(`The connection to ${shortName(message.group)} is lost`);
      }
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

function floorChanged(now: FloorView): void {
  const { group, state, lost, talker } = now;
  const had = hasFloor(group);
  const isFirst = ![...floors.value.values()].some((floor) => floor.state === "granted");
  floors.value = new Map(floors.value).set(group, now);
  const name = shortName(group);
  if (state === "granted" && !had) {
    if (isFirst) sound("granted");
    say(`You have the floor of ${name}`);
    if (isFirst && now.left !== undefined) limit = setTimeout(release, now.left);
  } else if (lost === "denied" || lost === "timed-out") {
    sound("refused");
    if (lost === "timed-out") say(`${name}: no answer`);
    else say(`${name}: refused${talker === undefined ? "" : `, ${shortName(talker)} is talking`}`);
  } else if (lost === "revoked") {
    sound("lost");
    say(`The floor of ${name} was taken away`);
  }
  if (![...floors.value.values()].some((floor) => floor.state === "granted")) clearTimeout(limit);
}

function sound(which: Sound): void {
  if (audio !== undefined) play(audio.context, which);
}

function say(text: string): void {
  notice.value = text;
}

function tellMedia(message: ToMedia, transfer: Transferable[] = []): void {
  mediaWorker?.postMessage(message, transfer);
}

function changed(set: ReadonlySet<string>, one: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(set);
  if (isIn) next.add(one);
  else next.delete(one);
  return next;
}

/** What this browser keeps of the dispatcher's choices. */
function kept<T>(name: string, none: T): T {
  try {
    return JSON.parse(localStorage.getItem(`dispatcher-${name}`) ?? "null") ?? none;
  } catch {
    return none;
  }
}

function keep(name: string, value: unknown): void {
  localStorage.setItem(`dispatcher-${name}`, JSON.stringify(value));
}

// Nobody knows that a key was released behind another window.
addEventListener("blur", release);
addEventListener("pagehide", release);
document.addEventListener("visibilitychange", () => {
  isSeen.value = !document.hidden;
  if (document.hidden) release();
});
addEventListener("offline", release);
