/** The state of the page, as signals, with what it asks of the workers. */
import { computed, signal } from "@preact/signals-core";
import type { FromKeys, FromMedia, GroupView, Step } from "../messages.ts";
import type { Audio } from "./audio.ts";
import { countPackets, floors, join, microphone, request, sendTextTo, sound } from "./calls.ts";
import { config } from "./identity.ts";
import { say } from "./notice.ts";

const MOST_VOLUME = 100;

export const groups = signal<readonly GroupView[]>([]);
export const selected = signal<string | undefined>(undefined);
export const isOnline = signal(navigator.onLine);
export const isMuted = signal(false);
/** The volume of the loudspeaker, in percent. */
export const volume = signal(knownVolume());
/** The key that is held to talk, as `KeyboardEvent.code`. */
export const talkKey = signal(localStorage.getItem("talk-key") ?? "Space");
/** Milliseconds since the page was opened, of each step that was taken. */
export const steps = signal<
  Readonly<Partial<Record<Step | "signed-in" | "audio" | "granted" | "heard", number>>>
>({});

export const group = computed(
  () => groups.value.find(({ uri }) => uri === selected.value) ?? groups.value[0],
);
export const floor = computed(() => (group.value && floors.value.get(group.value.uri)) ?? undefined);

let audio: Audio | undefined;

/** By a gesture of the user, as browsers want it for sound. */
export async function signIn(as: string, listenOnly: boolean): Promise<void> {
  mark("signed-in");
  const shown = () => (group.value === undefined ? [] : [group.value.uri]);
  audio = await join(as, { listenOnly, config: config.value!, shown, ofKeys, ofMedia });
  turnVolume();
  mark("audio");
}

export function press(isEmergency = false): void {
  const uri = group.value?.uri;
  if (uri !== undefined && microphone.value === "on") request(uri, isEmergency);
}

export function sendText(text: string): void {
  const uri = group.value?.uri;
  if (uri !== undefined) sendTextTo(uri, text);
}

export function mute(): void {
  isMuted.value = !isMuted.value;
  turnVolume();
}

export function setVolume(percent: number): void {
  volume.value = percent;
  localStorage.setItem("volume", String(percent));
  turnVolume();
}

function turnVolume(): void {
  if (audio !== undefined) audio.volume.gain.value = isMuted.value ? 0 : volume.value / 100;
}

/** As it was set before; what is no number of the range counts as full. */
function knownVolume(): number {
  const known = Number(localStorage.getItem("volume") ?? MOST_VOLUME);
  return known >= 0 && known <= MOST_VOLUME ? known : MOST_VOLUME;
}

export function bindKey(code: string): void {
  talkKey.value = code;
  localStorage.setItem("talk-key", code);
}

/** For measurements: times of the first steps, the loudest tone of what is played now, and what became of packets. */
export async function figures() {
  const counts = await countPackets();
  return { steps: steps.value, counts, loudest: audio && loudest(audio.analyser) };
}

/** Hertz, and decibels above the loudest of what is not beside it. */
function loudest(analyser: AnalyserNode) {
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const top = bins.indexOf(bins.reduce((a, b) => Math.max(a, b)));
  const others = bins.filter((_, i) => Math.abs(i - top) > BESIDE);
  const above = bins[top]! - others.reduce((a, b) => Math.max(a, b));
  return { hertz: (top * analyser.context.sampleRate) / analyser.fftSize, above };
}

/** Bins that a tone reaches into by the window of the analysis. */
const BESIDE = 8;

function ofKeys(message: FromKeys): void {
  if (message.type === "step") mark(message.step);
  if (message.type !== "groups") return;
  tellOfNewKeys(groups.value, message.groups);
  groups.value = message.groups;
}

function tellOfNewKeys(before: readonly GroupView[], now: readonly GroupView[]): void {
  for (const { uri, key } of now) {
    const old = before.find((other) => other.uri === uri)?.key;
    if (old !== undefined && key !== undefined && old.gmkId !== key.gmkId) say(`New key of ${uri}`);
  }
  const isMember = (uri: string, all = groups.value) => all.some((one) => one.uri === uri);
  for (const { uri } of before) {
    if (!isMember(uri, now)) say(`You are no longer a member of ${uri}`, { holds: () => !isMember(uri) });
  }
}

/** Called before the common part of the page has taken the message. */
function ofMedia(message: FromMedia): void {
  if (message.type === "heard") mark("heard");
  if (message.type !== "floor") return;
  if (message.state === "granted") mark("granted");
  const isKnown = floors.value.get(message.group)?.isEmergency === true;
  if (!message.isEmergency || isKnown || message.state === "granted") return;
  sound("emergency");
  say(`Emergency in ${message.group}`, {
    holds: () => floors.value.get(message.group)?.isEmergency === true,
  });
}

function mark(step: keyof typeof steps.value): void {
  if (steps.value[step] === undefined) steps.value = { ...steps.value, [step]: performance.now() };
}

addEventListener("online", () => {
  isOnline.value = true;
});
addEventListener("offline", () => {
  isOnline.value = false;
});
