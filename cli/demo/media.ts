/** The uses of the key: a talk burst that the MCX server cannot read, short data, and a group whose media it mixes. */
import { McxRefusedError } from "../../roles/client/mcx/index.ts";
import type { StepClock, Work } from "./clock.ts";
import type { Crowd } from "./crowd.ts";
import { isMixed, isOnly, SECOND, talkAndListen } from "./listening.ts";
import type { DemoMember } from "./member.ts";
import type { Report } from "./report.ts";
import { answered, until } from "./waiting.ts";

export interface MediaStage {
  readonly crowd: Crowd;
  readonly clock: StepClock;
  readonly report: Report;
  /** Identity of the MCX server. */
  readonly mcxUri: string;
  /** The group that the server only distributes for, and one that it has the key of. */
  readonly group: string;
  readonly mixedGroup: string;
  /** Members now. */
  readonly staying: readonly DemoMember[];
  readonly removed: DemoMember;
  /** Members of the other group. */
  readonly mixing: readonly DemoMember[];
}

const TEXT = "units to the north gate";
const [LOW, HIGH] = [450, 1000];
const FORBIDDEN = 403;
/** Packets may be lost where a socket is full. */
const AGAIN_MS = 20_000;

export async function playMedia(stage: MediaStage): Promise<void> {
  const { crowd, clock, report, staying, group, removed } = stage;
  await clock.time("upload a CSK to the MCX server", staying.length + 1, (step) =>
    crowd.each([...staying, removed], (member) => member.bind(), step),
  );
  await clock.time("join the group call", staying.length, (step) =>
    crowd.each(staying, (member) => member.join(group), step),
  );
  const isIn = await clock.time("ask to join as the member who was removed", 1, (step) =>
    answered(() => joins(removed, group), step),
  );
  await talkBurst(stage);
  report.check("group call, entered by the removed member (must be 0)", isIn ? 1 : 0, 1, 0);
  await shortData(stage);
  await clock.time("leave the group call", staying.length, (step) =>
    crowd.each(staying, (member) => member.hangUp(), step),
  );
  await mixedTalk(stage);
}

/** False: the server refused. */
async function joins(member: DemoMember, group: string): Promise<boolean> {
  try {
    await member.join(group);
    return true;
  } catch (error) {
    if (error instanceof McxRefusedError && error.status === FORBIDDEN) return false;
    throw error;
  }
}

/**
 * Says it again until each has heard some of it: a slow machine loses packets, and the point is who can read them.
 */
async function talkBurst({ clock, report, staying, removed }: MediaStage): Promise<void> {
  const [talker, ...listeners] = staying as [DemoMember, ...DemoMember[]];
  // What the removed member would hear with all the packets of another member.
  listeners[0]!.tap((packet) => removed.overhear(packet));
  const all = new Map(listeners.map((listener) => [listener, [] as Int16Array[]]));
  let whole: number | undefined;
  const haveHeard = () => [...all.values()].filter(({ length }) => length > 0).length;
  const isDone = () => haveHeard() === listeners.length && removed.overheard > 0;
  await clock.time("one member talks for a second and all others hear it", listeners.length, async (step) => {
    const { update } = step;
    await until(isDone, step, async () => {
      await talker.takeFloor(step);
      const before = haveHeard();
      const onStep = (heard: number) => update(Math.max(before, heard));
      const heard = await talkAndListen([{ member: talker, hertz: LOW }], listeners, SECOND, {
        signal: step.signal,
        onStep,
      });
      for (const [listener, frames] of heard) all.get(listener)!.push(...frames);
      whole ??= [...heard.values()].filter(({ length }) => length === SECOND).length;
      update(haveHeard());
      await talker.release();
    });
  });
  const { overheard } = removed;
  const opened = await removed.opened();
  const held = listeners.filter((listener) => isOnly(all.get(listener)!, [LOW])).length;
  report.check("the tone that the talker sent, and nothing else", held, listeners.length);
  report.check("packets opened with the removed member's keys (must be 0)", opened, overheard, 0);
  report.measure({
    what: "members who heard that second without a gap (for information only)",
    held: whole ?? 0,
    of: listeners.length,
    ...(whole !== listeners.length && {
      note: `this machine is too slow for ${listeners.length} listeners in one process`,
    }),
  });
}

async function shortData({ clock, report, staying, group }: MediaStage): Promise<void> {
  const [sender, ...receivers] = staying as [DemoMember, ...DemoMember[]];
  const withText = () => receivers.filter((member) => member.texts.includes(TEXT)).length;
  await clock.time("send short data to all others", receivers.length, async (step) => {
    let sentAt = Number.NEGATIVE_INFINITY;
    await until(async () => {
      step.update(withText());
      if (withText() === receivers.length) return true;
      if (performance.now() - sentAt < AGAIN_MS) return false;
      await answered(() => sender.sendText(group, TEXT), step);
      sentAt = performance.now();
      return false;
    }, step);
  });
  report.check("the text, decrypted", withText(), receivers.length);
}

/** Two of three members talk; of two members, one does. */
async function mixedTalk(stage: MediaStage): Promise<void> {
  const { crowd, clock, report, mixing, mixedGroup, mcxUri } = stage;
  const listener = mixing.at(-1)!;
  const talkers = mixing.slice(0, -1);
  const tones = [LOW, HIGH].slice(0, talkers.length);
  const talks = talkers.map((member, i) => ({ member, hertz: tones[i]! }));
  const name =
    talkers.length === 1
      ? "one member talks and the server mixes"
      : "two members talk at once and the server mixes them";
  const frames: Int16Array[] = [];
  await clock.time(name, 1, async (step: Work) => {
    const each = { ...step, update: step.goesOn };
    await crowd.each(mixing, (member) => member.join(mixedGroup), each);
    await until(
      () => isMixed(frames, tones),
      step,
      async () => {
        for (const talker of talkers) await talker.takeFloor(step);
        const heard = await talkAndListen(talks, [listener], SECOND, {
          signal: step.signal,
          onStep: () => undefined,
        });
        frames.push(...heard.get(listener)!);
        for (const talker of talkers) await talker.release();
      },
    );
    step.update(1);
    await crowd.each(mixing, (member) => member.hangUp(), each);
  });
  const what = `${tones.length === 1 ? "the tone" : "both tones"} in one stream of the server`;
  const senders = listener.talkers(mixedGroup);
  const isOfServer = senders.length === 1 && senders[0] === mcxUri;
  report.check(what, isOnly(frames, tones) && isMixed(frames, tones) && isOfServer ? 1 : 0, 1);
}
