/** The format of speech of a call as members come and go, on a clock of its own. */
import { beforeEach, expect, it } from "vitest";
import { G711, OPUS, readCallSdp, type SpeechFormat } from "../../../documents/sdp/call.ts";
import { parseMcxConfig } from "../../../roles/mcx/common/config.ts";
import { GroupSessions } from "../../../roles/mcx/session/sessions.ts";
import type { SipSession } from "../../../transport/sip/index.ts";
import { Net } from "../../client/calls/medium.ts";
import { ALICE, BOB, CAROL, Controls, controlKey, GROUP } from "../../client/calls/members.ts";
import { seededRandom } from "../../support/random.ts";

const [PCMA, PCMU] = G711 as [SpeechFormat, SpeechFormat];
const WIDE: SpeechFormat = { type: 97, encoding: "AMR-WB/16000" };

let net: Net;
let sessions: GroupSessions;
/** What members were offered, after the answer that they joined with. */
let told: string[];
beforeEach(() => {
  net = new Net("formats");
  told = [];
  sessions = new GroupSessions({
    config: parseMcxConfig({ mcxUri: "sip:mcx@home.example", kmsUri: "sip:kms@home.example" }),
    openPort: async () => net.open("192.0.2.1"),
    directory: { member: async () => undefined, members: async () => [], onChange: () => () => undefined },
    keysOf: () => undefined,
    clock: net.clock,
    random: seededRandom("formats"),
  });
});

let members = 10;

/** Gives the name of the format that the answer has. */
async function join(user: string, ...speech: SpeechFormat[]): Promise<string> {
  const host = `192.0.2.${members++}`;
  const control = new Controls(controlKey("CSK", members));
  const [media, floor] = [net.open(host).address, net.open(host).address];
  const answer = await sessions.join(GROUP, { user, sdpId: 7, media, floor, control, priority: 1, speech });
  const dialog: SipSession = {
    callId: user,
    open: true,
    bye: async () => undefined,
    send: () => Promise.reject(new Error("no request is expected")),
    async offer({ body }) {
      const { speech: offered, media: at } = readCallSdp(body);
      const version = /^o=- 7 (\d+) /m.exec(new TextDecoder().decode(body))![1];
      expect(at).toEqual(answer.media);
      told.push(`${user.slice(4, 5)} ${version} ${offered!.map(({ encoding }) => encoding)}`);
      return true;
    },
  };
  sessions.opened(GROUP, user, dialog);
  return answer.speech!.map(({ encoding }) => encoding).join();
}

it("the call uses the first format of who began it that all have, and tells those for whom it changes", async () => {
  expect(await join(ALICE, OPUS, WIDE, PCMA)).toBe("opus/48000/2");
  expect(await join(BOB, PCMA, OPUS)).toBe("opus/48000/2");
  expect(told).toEqual([]);
  expect(await join(CAROL, PCMU, PCMA)).toBe("PCMA/8000");
  expect(told).toEqual(["a 2 PCMA/8000", "b 2 PCMA/8000"]);
});

it("a format that all have again is used again ten seconds after a member without it has left", async () => {
  await join(ALICE, OPUS, PCMA);
  await join(BOB, OPUS, PCMA);
  await join(CAROL, PCMA);
  sessions.leave(GROUP, CAROL);
  await net.clock.pass(9000);
  expect(told).toEqual(["a 2 PCMA/8000", "b 2 PCMA/8000"]);
  await join(CAROL, PCMA);
  await net.clock.pass(60_000);
  expect(told).toHaveLength(2);
  sessions.leave(GROUP, CAROL);
  await net.clock.pass(11_000);
  expect(told.slice(2)).toEqual(["a 3 opus/48000/2", "b 3 opus/48000/2"]);
});

it("a member who has none of the formats that all others have is refused, and changes nothing", async () => {
  await join(ALICE, OPUS, PCMA);
  await join(BOB, PCMU, PCMA);
  await expect(join(CAROL, OPUS, PCMU)).rejects.toMatchObject({
    code: "NO_COMMON_SPEECH",
    message: expect.stringContaining("PCMA/8000 as type 8, which is not offered"),
  });
  expect(sessions.participants(GROUP)).toEqual([ALICE, BOB]);
  expect(told).toEqual(["a 2 PCMA/8000"]);
});

it("a member who comes again with fewer formats counts with those", async () => {
  await join(ALICE, OPUS, PCMA);
  expect(await join(BOB, OPUS, PCMA)).toBe("opus/48000/2");
  expect(await join(BOB, PCMA)).toBe("PCMA/8000");
  expect(told).toEqual(["a 2 PCMA/8000"]);
});
