/** What the key is for: a talk burst that the MCX server cannot read, short data, and a group whose media it mixes. */
import { MikeySakkeError } from "../../bindings/errors.ts";
import { G711_FRAME } from "../../bindings/media/index.ts";
import type { StepClock } from "./clock.ts";
import type { Crowd } from "./crowd.ts";
import { hasTones, talkAndListen } from "./listening.ts";
import type { DemoMember } from "./member.ts";
import type { Check } from "./scenario.ts";

export interface MediaStage {
  readonly crowd: Crowd;
  readonly clock: StepClock;
  /** The group that the server only distributes for, and one that it has the key of. */
  readonly group: string;
  readonly mixedGroup: string;
  /** Members now. */
  readonly staying: readonly DemoMember[];
  readonly removed: DemoMember;
  /** Members of the other group. */
  readonly mixing: readonly DemoMember[];
}

const FRAMES = 50;
const TEXT = "units to the north gate";
const [LOW, HIGH] = [440, 1000];
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

export async function playMedia(stage: MediaStage): Promise<Check[]> {
  const { crowd, clock, staying, group, removed } = stage;
  await clock.time("upload a CSK to the MCX server", staying.length + 1, (update) =>
    crowd.each([...staying, removed], (member) => member.bind(), update),
  );
  await clock.time("join the group call", staying.length, (update) =>
    crowd.each(staying, (member) => member.join(group), update),
  );
  const refused = (await removed.join(group).then(
    () => false,
    () => true,
  ))
    ? 0
    : 1;
  const burst = await talkBurst(stage);
  const data = await shortData(stage);
  await crowd.each(staying, (member) => member.hangUp());
  const mixed = await mixedTalk(stage);
  return [
    ...burst,
    required({ what: "group call, with the member who was removed", held: refused, of: 1 }, 0),
    data,
    mixed,
  ];
}

async function talkBurst({ clock, staying, removed }: MediaStage): Promise<Check[]> {
  const [talker, ...listeners] = staying as [DemoMember, ...DemoMember[]];
  // What the removed member would hear if he had all the packets of another.
  listeners[0]!.tap((packet) => removed.overhear(packet));
  const heard = await clock.time(
    "one talks for a second, all others hear it",
    listeners.length,
    async (update) => {
      await talker.takeFloor();
      const all = await talkAndListen([{ member: talker, hertz: LOW }], listeners, FRAMES, (frames) =>
        update(Math.floor((listeners.length * frames) / FRAMES)),
      );
      await talker.release();
      return all;
    },
  );
  const held = listeners.filter((listener) => hasTones(heard.get(listener)!, [LOW], FRAMES)).length;
  const { overheard, opened } = removed.eavesdropped;
  if (overheard < FRAMES / 2)
    throw unexpected(`the removed member got ${overheard} packets to try his keys on`);
  return [
    required(
      { what: "the tone that one said, and nothing else", held, of: listeners.length },
      listeners.length,
    ),
    required(
      { what: "packets opened with the keys of the member who was removed", held: opened, of: overheard },
      0,
    ),
  ];
}

async function shortData({ clock, staying, group }: MediaStage): Promise<Check> {
  const [sender, ...receivers] = staying as [DemoMember, ...DemoMember[]];
  const withText = () => receivers.filter((member) => member.texts.includes(TEXT)).length;
  await clock.time("send short data to all others", receivers.length, async (update) => {
    await sender.sendText(group, TEXT);
    const until = performance.now() + PATIENCE_MS;
    while (withText() < receivers.length && performance.now() < until) {
      update(withText());
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    update(withText());
  });
  return required({ what: "the text, decrypted", held: withText(), of: receivers.length }, receivers.length);
}

/** With three members two talk; with two one does. */
async function mixedTalk({ crowd, clock, mixing, mixedGroup }: MediaStage): Promise<Check> {
  const listener = mixing.at(-1)!;
  const talkers = mixing.slice(0, -1);
  const tones = [LOW, HIGH].slice(0, talkers.length);
  const name = `${talkers.length === 1 ? "one talks" : "two talk at once"}, the server mixes`;
  const heard = await clock.time(name, 1, async (update) => {
    await crowd.each(mixing, (member) => member.join(mixedGroup));
    for (const talker of talkers) await talker.takeFloor();
    const talks = talkers.map((member, i) => ({ member, hertz: tones[i]! }));
    const all = await talkAndListen(talks, [listener], FRAMES, (frames) =>
      update(Math.floor(frames / FRAMES)),
    );
    await crowd.each(mixing, (member) => member.hangUp());
    return all.get(listener)!;
  });
  const good = hasTones(heard, tones, FRAMES) && heard.length <= (FRAMES + 5) * G711_FRAME;
  const what = `${tones.length === 1 ? "the tone" : "both tones"} in one stream of the server`;
  return required({ what, held: good ? 1 : 0, of: 1 }, 1);
}

function required(check: Check, expected: number): Check {
  if (check.held === expected) return check;
  throw unexpected(`${check.what}: ${check.held} of ${check.of}, not ${expected}`);
}

function unexpected(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "DEMO_FAILED", text);
}
