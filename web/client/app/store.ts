/** The state of the page, as signals, and the two workers that it comes from. */
import { batch, computed, effect, signal } from "@preact/signals-core";
import type {
  FloorView,
  FromKeys,
  FromMedia,
  GroupView,
  MediaCounts,
  Step,
  TextView,
  ToMedia,
} from "../messages.ts";
import { hasOpus } from "../opus.ts";
import { type Audio, openAudio } from "./audio.ts";
import { config } from "./identity.ts";
import { listenToKeys, tellKeys } from "./keys-worker.ts";
import { shortName } from "./names.ts";
import { play, type Sound } from "./sounds.ts";

const MOST_VOLUME = 100;

export const user = signal<string | undefined>(undefined);
export const groups = signal<readonly GroupView[]>([]);
export const selected = signal<string | undefined>(undefined);
export const floors = signal<ReadonlyMap<string, FloorView>>(new Map());
export const sockets = signal<ReadonlyMap<string, boolean>>(new Map());
export const texts = signal<readonly TextView[]>([]);
export const connected = signal({ gms: false, mcx: false });
export const isOnline = signal(navigator.onLine);
/** A message that a person should know, said once by screen readers. */
export const notice = signal("");
export const isMuted = signal(false);
/** The volume of the loudspeaker, in percent. */
export const volume = signal(knownVolume());
export const microphone = signal<"on" | "listen-only" | "none">("on");
/** The key that is held to talk, as `KeyboardEvent.code`. */
export const talkKey = signal(localStorage.getItem("talk-key") ?? "Space");
/** Milliseconds since the page was opened, of each step that was taken. */
export const steps = signal<
  Readonly<Partial<Record<Step | "signed-in" | "audio" | "granted" | "heard", number>>>
>({});
export const counts = signal<MediaCounts | undefined>(undefined);
/** Seconds until one's own right to talk ends, while there is one. */
export const left = signal<number | undefined>(undefined);

export const group = computed(
  () => groups.value.find(({ uri }) => uri === selected.value) ?? groups.value[0],
);
export const floor = computed(() => (group.value && floors.value.get(group.value.uri)) ?? undefined);

const isSeen = signal(!document.hidden);
/** The group whose texts are seen. */
const seen = computed(() => (isSeen.value ? group.value?.uri : undefined));

let audio: Audio | undefined;
let mediaWorker: Worker | undefined;
let counted: (() => void) | undefined;
let limit: ReturnType<typeof setTimeout> | undefined;
/** Milliseconds between looks at the time that is left. */
const LOOK_MS = 250;

/** By a gesture of the user, as browsers want it for sound. */
export async function signIn(as: string, listenOnly: boolean): Promise<void> {
  mark("signed-in");
  localStorage.setItem("user", as);
  const media = new Worker("media-worker.js", { type: "module" });
  mediaWorker = media;
  media.onmessage = ({ data }: MessageEvent<FromMedia>) => batch(() => ofMedia(data));
  media.onerror = ({ message }) => say(message);
  listenToKeys((message) => batch(() => ofKeys(message)));
  const { port1, port2 } = new MessageChannel();
  tellMedia({ type: "keys", port: port1 }, [port1]);
  const opening = openAudio(!listenOnly);
  const start = { user: as, config: config.value!, media: port2, hasOpus: await hasOpus() };
  user.value = as;
  tellKeys({ type: "start", ...start }, [port2]);
  effect(() => tellKeys({ type: "shown", groups: seen.value === undefined ? [] : [seen.value] }));
  audio = await opening;
  turnVolume();
  const { capture, play: out, fault } = audio;
  microphone.value = listenOnly ? "listen-only" : capture === undefined ? "none" : "on";
  if (fault !== undefined) say(`No microphone (${fault}): you can listen`);
  tellMedia({ type: "audio", capture, play: out }, [out, ...(capture ? [capture] : [])]);
  mark("audio");
}

export function press(isEmergency = false): void {
  const uri = group.value?.uri;
  if (uri === undefined || microphone.value !== "on") return;
  tellMedia({ type: "request", group: uri, isEmergency });
}

export function release(): void {
  tellMedia({ type: "release" });
}

export function sendText(text: string): void {
  const uri = group.value?.uri;
  if (uri !== undefined && text.trim() !== "") tellKeys({ type: "text", group: uri, text: text.trim() });
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
  tellMedia({ type: "count" });
  await new Promise<void>((resolve) => {
    counted = resolve;
  });
  return { steps: steps.value, counts: counts.value, loudest: audio && loudest(audio.analyser) };
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
  switch (message.type) {
    case "step":
      mark(message.step);
      break;
    case "groups":
      tellOfNewKeys(groups.value, message.groups);
      groups.value = message.groups;
      break;
    case "text": {
      const others = texts.value.filter(
        ({ id, from }) => id !== message.text.id || from !== message.text.from,
      );
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

function tellOfNewKeys(before: readonly GroupView[], now: readonly GroupView[]): void {
  for (const { uri, key } of now) {
    const old = before.find((other) => other.uri === uri)?.key;
    if (old !== undefined && key !== undefined && old.gmkId !== key.gmkId) say(`New key of ${uri}`);
  }
  for (const { uri } of before) {
    if (!now.some((other) => other.uri === uri)) say(`You are no longer a member of ${uri}`);
  }
}

function ofMedia(message: FromMedia): void {
  switch (message.type) {
    case "floor":
      floorChanged(message);
      break;
    case "socket":
      // The floor is given back, as nobody hears what is said now.
      if (!message.isOpen && floors.value.get(message.group)?.state === "granted") {
        sound("lost");
        say("The connection is lost");
      }
      sockets.value = new Map(sockets.value).set(message.group, message.isOpen);
      break;
    case "heard":
      mark("heard");
      break;
    case "counts":
      counts.value = message.counts;
      counted?.();
      break;
  }
}

function floorChanged(now: FloorView): void {
  const known = floors.value.get(now.group);
  const before = known?.state;
  if (now.isEmergency && known?.isEmergency !== true && now.state !== "granted") {
    sound("emergency");
    say(`Emergency in ${now.group}`);
  }
  floors.value = new Map(floors.value).set(now.group, now);
  if (before === "granted" && now.state !== "granted") countDown(undefined);
  if (now.state === "granted" && before !== "granted") {
    mark("granted");
    sound("granted");
    say("You have the floor");
    countDown(now.left === undefined ? undefined : performance.now() + now.left);
  } else if (now.lost === "denied" || now.lost === "timed-out") {
    sound("refused");
    const talker = now.talker && `: ${shortName(now.talker)} is talking`;
    say(now.lost === "denied" ? `Refused${talker ?? ""}` : "No answer");
  } else if (now.lost === "revoked") {
    sound("lost");
    say("The floor was taken away");
  } else if (now.state === "queued" && before !== "queued") {
    sound("refused");
    say("Somebody else talks: you are in the queue");
  }
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

function sound(which: Sound): void {
  if (audio !== undefined) play(audio.context, which);
}

function say(text: string): void {
  notice.value = text;
}

function mark(step: keyof typeof steps.value): void {
  if (steps.value[step] === undefined) steps.value = { ...steps.value, [step]: performance.now() };
}

function tellMedia(message: ToMedia, transfer: Transferable[] = []): void {
  mediaWorker?.postMessage(message, transfer);
}

// Nobody knows that a key was released behind another window.
addEventListener("blur", release);
addEventListener("pagehide", release);
document.addEventListener("visibilitychange", () => {
  isSeen.value = !document.hidden;
  if (document.hidden) release();
});
addEventListener("online", () => {
  isOnline.value = true;
});
addEventListener("offline", () => {
  isOnline.value = false;
  release();
});
