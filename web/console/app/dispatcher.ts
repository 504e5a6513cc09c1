/**
 * A dispatcher's part in calls: an MC user of their own, by the workers of the push-to-talk page. What the console shows of it, as
 * signals, and what is asked of the workers.
 */
import { effect, signal } from "@preact/signals";
import { defined } from "../../../base/defined.ts";
import type { Audio } from "../../client/app/audio.ts";
import {
  countPackets,
  join as joinCalls,
  MEDIA_WORKER,
  microphone,
  request,
  tellMedia,
  user,
} from "../../client/app/calls.ts";
import { begin, config, leave } from "../../client/app/identity.ts";
import { tellKeys } from "../../client/app/keys-worker.ts";
import { isOidc, type PageConfig } from "../../client/config.ts";
import type { FromKeys, GroupView, PrivateCallView, ReceiptView } from "../../client/messages.ts";
import { session } from "./api.ts";
import { go } from "./route.ts";

export interface Volume {
  /** In percent. */
  readonly volume: number;
  readonly isMuted: boolean;
}

export const MOST_VOLUME = 100;
const AS_IT_COMES: Volume = { volume: MOST_VOLUME, isMuted: false };

/** The groups that the dispatcher is a member of. */
export const memberships = signal<ReadonlyMap<string, GroupView>>(new Map());
/** The groups that the dispatcher listens to. */
export const heard = signal<ReadonlySet<string>>(new Set(kept<readonly string[]>("heard", [])));
/** The groups that the dispatcher talks to at once. */
export const selected = signal<ReadonlySet<string>>(new Set());
/** By message ID. */
export const receipts = signal<ReadonlyMap<string, ReceiptView>>(new Map());
/** The groups whose messages are open. */
const opened = signal<ReadonlySet<string>>(new Set());
export const privateCall = signal<PrivateCallView | undefined>(undefined);
const volumes = signal<ReadonlyMap<string, Volume>>(
  new Map(kept<readonly [string, Volume][]>("volumes", [])),
);

let audio: Audio | undefined;

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
    if (now === undefined && user.peek() !== undefined) leave();
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

const WORKERS: readonly string[] = ["keys-worker.js", MEDIA_WORKER];

/** By a gesture of the user, as browsers want it for sound. */
export async function join(as: string, listenOnly: boolean): Promise<void> {
  const joining = joinCalls(as, {
    listenOnly,
    config: withSession(config.value!),
    groups: [...heard.value],
    shown: () => [...opened.value],
    ofKeys,
  });
  for (const group of volumes.value.keys()) turn(group);
  audio = await joining;
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
  for (const group of groups) if (canTalkTo(group)) request(group);
}

/** For measurements: decibels of tones in what is played now, and what became of packets. */
export async function figures(tones: readonly number[]) {
  const counts = await countPackets();
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
    case "receipt":
      receipts.value = new Map(receipts.value).set(message.receipt.messageId, message.receipt);
      break;
    case "private-call":
      privateCall.value = message.call;
      break;
  }
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
