/** A group call and short data on the command line. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { G711_FRAME } from "../../../bindings/media/index.ts";
import { shareOf, tone } from "../../../cli/call/tone.ts";
import { readWav, SPEECH_RATE, wavHeader, wavSamples } from "../../../cli/call/wav.ts";
import { STORY_MS, serve } from "../gms/gms-process.ts";
import { cli } from "../kms/kms-process.ts";
import { spawnCli, startCli, temporaryFolder } from "../run-cli.ts";

const GROUP = "sip:fire@example.org";
const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"].map((name) => `sip:${name}@example.org`) as [
  string,
  string,
  string,
];

it("talk is heard by listen, mcdata send by mcdata receive, and neither by a non-member", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  await serve(data);
  await cli("group", "create", GROUP, ALICE, BOB, "--data-dir", data);
  const as = (user: string) => ["--local", data, "--user", user, "--json"];
  const [said, heard] = [join(folder, "said.wav"), join(folder, "heard.wav")];
  const samples = tone(700, 2 * SPEECH_RATE);
  await writeFile(said, Buffer.concat([wavHeader(samples.length), wavSamples(samples)]));

  const listening = startCli(["listen", GROUP, ...as(BOB), "--out", heard]);
  await listening.shows('"event":"listening"');
  // A listener who has just come may not be in the call yet, and without listeners the floor is denied.
  let talk = await spawnCli(["talk", GROUP, ...as(ALICE), "--wav", said]);
  for (let tries = 0; talk.status !== 0 && tries < 5; tries++) {
    expect(talk.json()).toMatchObject({ status: "refused", reason: "denied" });
    talk = await spawnCli(["talk", GROUP, ...as(ALICE), "--wav", said]);
  }
  expect(talk.json()).toEqual({ status: "said", group: GROUP, frames: 100, seconds: 2 });
  listening.kill("SIGTERM");
  const listened = await listening.ended;
  expect(listened.status, listened.stderr).toBe(0);
  expect(listened.stdout).toContain(`"talker":"${ALICE}"`);
  const ended = JSON.parse(listened.stdout.trim().split("\n").at(-1)!);
  expect(ended).toMatchObject({ event: "ended", refused: 0 });
  // However many frames came in time: what was heard is what was said.
  const played = framesOf(readWav(await readFile(heard), heard)).filter((frame) => frame.some(isLoud));
  expect(played.length).toBeGreaterThan(0);
  expect(played.length).toBeLessThanOrEqual(ended.packets);
  expect(played.filter((frame) => shareOf(700, frame) < 0.9)).toEqual([]);

  const receiving = startCli(["mcdata", "receive", GROUP, ...as(BOB), "--count", "1"]);
  await receiving.shows('"event":"receiving"');
  const sent = await spawnCli(["mcdata", "send", GROUP, "north gate", ...as(ALICE)]);
  expect(sent.json()).toEqual({ status: "sent", group: GROUP });
  const received = await receiving.ended;
  expect(received.status).toBe(0);
  const last = JSON.parse(received.stdout.trim().split("\n").at(-1)!);
  expect(last).toMatchObject({
    event: "data",
    from: ALICE,
    payloads: [{ contentType: 1, text: "north gate" }],
  });

  const nowhere = await spawnCli(["listen", GROUP, "--user", BOB, "--out", heard, "--json"]);
  expect(nowhere.json()).toMatchObject({ code: "NO_SERVER" });
});

it("talk --to is heard by listen --calls until the caller hangs up, and says who is not there", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  await serve(data);
  const as = (user: string) => ["--local", data, "--user", user, "--json"];
  const heard = join(folder, "heard.wav");
  const listening = startCli(["listen", "--calls", ...as(BOB), "--out", heard]);
  await listening.shows('"event":"waiting"');
  const talk = await spawnCli(["talk", "--to", BOB, ...as(ALICE), "--tone", "700", "--seconds", "2"]);
  expect(talk.json()).toEqual({ status: "said", to: BOB, frames: 100, seconds: 2 });
  const listened = await listening.ended;
  expect(listened.status, listened.stderr).toBe(0);
  expect(listened.stdout).toContain(`"event":"call","from":"${ALICE}"`);
  expect(JSON.parse(listened.stdout.trim().split("\n").at(-1)!)).toMatchObject({
    event: "ended",
    refused: 0,
  });
  const played = framesOf(readWav(await readFile(heard), heard)).filter((frame) => frame.some(isLoud));
  expect(played.length).toBeGreaterThan(0);
  expect(played.filter((frame) => shareOf(700, frame) < 0.9)).toEqual([]);

  const nobody = await spawnCli(["talk", "--to", CAROL, ...as(ALICE)]);
  expect(nobody.status).not.toBe(0);
  expect(nobody.json()).toMatchObject({
    code: "MCX_REFUSED",
    message: expect.stringContaining("480 Temporarily Unavailable, CALLEE_NOT_BOUND"),
  });
  const neither = await spawnCli(["talk", ...as(ALICE)]);
  expect(neither.json()).toMatchObject({ code: "GROUP_OR_USER" });
});

it("serve ends within its stopTimeout though a member of a call has vanished without BYE", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  const servers = await serve(data);
  await cli("group", "create", GROUP, ALICE, BOB, "--data-dir", data);
  const listening = startCli([
    "listen",
    GROUP,
    "--local",
    data,
    "--user",
    BOB,
    "--json",
    "--out",
    join(folder, "heard.wav"),
  ]);
  await listening.shows('"event":"listening"');
  listening.kill("SIGKILL");
  await listening.ended;
  const begun = performance.now();
  expect(await servers.end("SIGTERM")).toBe(0);
  // stopTimeout is 10 s; the transaction of the BYE would end after 32 s (Timer F).
  expect(performance.now() - begun).toBeLessThan(28_000);
});

it.each([
  ["talk", []],
  ["listen", ["--out", "heard.wav"]],
  ["mcdata receive", []],
])(
  "%s of a non-member ends with 1 and says what is missing; signals end it at once",
  {
    timeout: STORY_MS,
  },
  async (command, options) => {
    const folder = await temporaryFolder();
    const data = join(folder, "data");
    await serve(data);
    await cli("group", "create", GROUP, ALICE, BOB, "--data-dir", data);
    const args = [...command.split(" "), GROUP, "--local", data, "--user", CAROL, ...options];
    const refused = await spawnCli([...args, "--timeout", "1s", "--json"]);
    expect(refused.status, refused.stderr).toBe(1);
    expect(refused.json()).toMatchObject({
      status: "refused",
      code: "NO_GROUP_KEY",
      message: `no key of ${GROUP} has come for ${CAROL} within 1 s`,
      next: expect.stringContaining("mikey-sakke group show"),
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const waiting = startCli([...args, "--timeout", "1h"]);
      await waiting.shows(`waiting for a key of ${GROUP}, for 3600 s at most`);
      waiting.kill(signal);
      expect((await waiting.ended).signal).toBe(signal);
    }
  },
);

it("talk and listen under a key that is for later end with 75 and say when it begins", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  await serve(data);
  await cli("group", "create", GROUP, ALICE, BOB, "--data-dir", data);
  const activation = new Date(Math.ceil(Date.now() / 1000 + 3600) * 1000).toISOString();
  await cli("group", "rekey", GROUP, "--activation", activation, "--revoke-old", "--data-dir", data);
  for (const command of [["talk"], ["listen", "--out", join(folder, "heard.wav")]]) {
    const refused = await spawnCli([...command, GROUP, "--local", data, "--user", BOB, "--json"]);
    expect(refused.status, refused.stderr).toBe(75);
    expect(refused.json()).toMatchObject({
      code: "KEY_PENDING",
      message: `the key of ${GROUP} is pending until ${activation}`,
    });
  }
});

const isLoud = (sample: number) => Math.abs(sample) > 100;

function framesOf(samples: Int16Array): Int16Array[] {
  const count = Math.floor(samples.length / G711_FRAME);
  return Array.from({ length: count }, (_, n) => samples.subarray(n * G711_FRAME, (n + 1) * G711_FRAME));
}
