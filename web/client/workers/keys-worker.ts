/** The worker of keys and SIP: it lives as long as the page. */
import type { FromKeys, ToKeys } from "../messages.ts";
import { Member } from "./member.ts";

const tell = (message: FromKeys) => postMessage(message);
let member: Member | undefined;
addEventListener("message", ({ data }: MessageEvent<ToKeys>) => {
  if (data.type === "start") {
    member = new Member({ ...data, tell });
    member.start().catch((error: unknown) => tell({ type: "fault", text: String(error) }));
  } else void member?.say(data.group, data.text);
});
