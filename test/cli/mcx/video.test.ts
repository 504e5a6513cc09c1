/** Video of a group on the command line. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FFMPEG, makeH264, picturesIn } from "../../support/ffmpeg.ts";
import { describeWith } from "../../support/foreign.ts";
import { STORY_MS, serve } from "../gms/gms-process.ts";
import { cli } from "../kms/kms-process.ts";
import { spawnCli, startCli, temporaryFolder } from "../run-cli.ts";

const GROUP = "sip:fire@example.org";
const [ALICE, BOB] = ["sip:alice@example.org", "sip:bob@example.org"];

describeWith("ffmpeg", FFMPEG, "video on the command line", () => {
  it("of talk is written by listen, each picture as it was", { timeout: STORY_MS }, async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "data");
    await serve(data);
    await cli("group", "create", GROUP, ALICE, BOB, "--service", "mcvideo", "--data-dir", data);
    const as = (user: string) => ["--local", data, "--user", user, "--json"];
    const [made, seen] = [join(folder, "made.h264"), join(folder, "seen.h264")];
    await makeH264(made, 2, "320x180");

    const listening = startCli(["listen", GROUP, ...as(BOB), "--video", seen]);
    await listening.shows('"event":"watching"');
    const talk = await spawnCli(["talk", GROUP, ...as(ALICE), "--video", made, "--fps", "25"]);
    expect(talk.status, talk.stderr).toBe(0);
    const { packets } = talk.json() as { packets: number };
    expect(talk.json()).toEqual({ status: "sent", group: GROUP, pictures: 50, packets });
    listening.kill("SIGTERM");
    const listened = await listening.ended;
    expect(listened.status, listened.stderr).toBe(0);
    expect(listened.stdout).toContain(`"transmitter":"${ALICE}"`);
    expect(JSON.parse(listened.stdout.trim().split("\n").at(-1)!)).toMatchObject({
      event: "ended",
      packets,
      refused: 0,
      incomplete: 0,
    });
    expect(await picturesIn(seen)).toEqual(await picturesIn(made));
  });
});

it("talk --video and listen say what is missing of their files", async () => {
  const folder = await temporaryFolder();
  const text = join(folder, "text.h264");
  await writeFile(text, "no video");
  const servers = [
    ...["--kms-url", "http://127.0.0.1:9", "--gms-uri", "sip:gms@example.org"],
    ...["--xcap-root", "http://127.0.0.1:9/xcap", "--mcx-uri", "sip:mcx@example.org"],
    ...["--mcx-sip", "sip:127.0.0.1:9", "--token-file", text],
  ];
  const talk = await spawnCli(["talk", GROUP, "--user", ALICE, "--video", text, ...servers, "--json"]);
  expect([talk.status, talk.json().code]).toEqual([expect.any(Number), "BAD_H264"]);
  const listen = await spawnCli(["listen", GROUP, "--user", ALICE, "--json"]);
  expect([listen.status, listen.json().code]).toEqual([2, "OUT_OR_VIDEO"]);
  const both = await spawnCli(["listen", GROUP, "--user", ALICE, "--out", "a.wav", "--video", "b.h264"]);
  expect(both.status).toBe(2);
});
