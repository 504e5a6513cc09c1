/** A group call and short data on the command line. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { shareOf, tone } from "../../cli/call/tone.ts";
import { readWav, SPEECH_RATE, wavHeader, wavSamples } from "../../cli/call/wav.ts";
import { spawnCli, temporaryFolder } from "../cli/run-cli.ts";
import { STORY_MS, serve } from "../cli-gms/gms-process.ts";
import { cli } from "../cli-kms/kms-process.ts";

const GROUP = "sip:fire@example.org";
const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"].map((name) => `sip:${name}@example.org`) as [
  string,
  string,
  string,
];

it("talk is heard by listen, mcdata send by mcdata receive, and neither by who is no member", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  await serve(data);
  await cli("group", "create", GROUP, ALICE, BOB, "--data-dir", data);
  const as = (user: string) => ["--local", data, "--user", user, "--json"];
  const [said, heard] = [join(folder, "said.wav"), join(folder, "heard.wav")];
  const { writeFile } = await import("node:fs/promises");
  const samples = tone(700, 2 * SPEECH_RATE);
  await writeFile(said, Buffer.concat([wavHeader(samples.length), wavSamples(samples)]));

  const listening = spawnCli(["listen", GROUP, ...as(BOB), "--out", heard, "--seconds", "12"]);
  // As long as nobody listens, the floor is denied.
  let talk = await spawnCli(["talk", GROUP, ...as(ALICE), "--wav", said]);
  for (let tries = 0; talk.status !== 0 && tries < 5; tries++) {
    expect(talk.json()).toMatchObject({ status: "refused", reason: "denied" });
    talk = await spawnCli(["talk", GROUP, ...as(ALICE), "--wav", said]);
  }
  expect(talk.json()).toEqual({ status: "said", group: GROUP, frames: 100, seconds: 2 });
  const listened = await listening;
  expect(listened.status, listened.stderr).toBe(0);
  expect(listened.stdout).toContain(`"talker":"${ALICE}"`);
  const played = readWav(await readFile(heard), heard);
  expect(shareOf(700, played.subarray(0, 1.8 * SPEECH_RATE))).toBeGreaterThan(0.9);

  const receiving = spawnCli(["mcdata", "receive", GROUP, ...as(BOB), "--count", "1", "--seconds", "60"]);
  let isOver = false;
  void receiving.finally(() => {
    isOver = true;
  });
  // Who is not there yet gets nothing.
  for (let tries = 0; !isOver && tries < 10; tries++) {
    const sent = await spawnCli(["mcdata", "send", GROUP, "north gate", ...as(ALICE)]);
    expect(sent.json()).toEqual({ status: "sent", group: GROUP });
  }
  const received = await receiving;
  expect(received.status).toBe(0);
  const last = JSON.parse(received.stdout.trim().split("\n").at(-1)!);
  expect(last).toMatchObject({
    event: "data",
    from: ALICE,
    payloads: [{ contentType: 1, text: "north gate" }],
  });

  const stranger = await spawnCli(["talk", GROUP, ...as(CAROL), "--timeout", "1s"]);
  expect(stranger.status).toBe(2);
  expect(stranger.json()).toMatchObject({ code: "NO_GROUP_KEY" });
  const nowhere = await spawnCli(["listen", GROUP, "--user", BOB, "--out", heard, "--json"]);
  expect(nowhere.json()).toMatchObject({ code: "NO_SERVER" });
});
