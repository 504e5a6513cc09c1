/** A client of ours as a process: it joins the call that `check client --calls` is about, and presses the button until it is ended. */
import { defined } from "../../../base/defined.ts";
import { G711_FRAME } from "../../../bindings/media/index.ts";
import { everyFrame } from "../../../cli/call/pace.ts";
import { openMcxMember } from "../../../cli/device/member.ts";
import { mcxMemberOf } from "../../../cli/device/member-of.ts";

/** Frames between two presses. */
const REST = 25;

const of = (name: string) => process.env[`CHECK_${name}`];
const ended = new AbortController();
process.once("SIGTERM", () => ended.abort());

const options = await mcxMemberOf(
  of("GROUP")!,
  {
    user: of("USER")!,
    timeout: "5m",
    ...defined({
      kmsUrl: of("KMS_URL"),
      gmsUri: of("GMS_URI"),
      xcapRoot: of("XCAP_ROOT"),
      mcxUri: of("MCX_URI"),
      mcxSip: of("SIP_TCP"),
      tokenFile: of("TOKEN"),
      ca: of("CA"),
    }),
  },
  (text) => console.log(text),
);
const member = await openMcxMember({ ...options, onEvent: () => undefined });
const { call, hangUp } = await member.client.call(options.groupUri, { onEnd: () => ended.abort() });
let rested = 0;
await everyFrame(
  async () => {
    const { state } = call.floor;
    if (state === "granted") await call.send(new Int16Array(G711_FRAME).fill(1000));
    else if ((state === "idle" || state === "taken") && ++rested % REST === 0) call.request();
    return true;
  },
  { signal: ended.signal },
);
await hangUp();
await member.close();
