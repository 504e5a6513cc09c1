/** The worker of keys and SIP: it lives as long as the page. */
import { isOidc } from "../config.ts";
import type { FromKeys, SignInMessage, ToKeys } from "../messages.ts";
import { Member } from "./member.ts";
import type { OidcSession } from "./oidc-session.ts";
import { developmentTokens } from "./tokens.ts";

const tell = (message: FromKeys) => postMessage(message);
const fault = (error: unknown) => tell({ type: "fault", text: String(error) });
let member: Member | undefined;
let session: OidcSession | undefined;

async function signIn(message: SignInMessage): Promise<void> {
  try {
    const { takeSignIn } = await import("./sign-in.ts");
    session = await takeSignIn(message, session, tell);
  } catch (error) {
    fault(error);
    tell({ type: "user", user: undefined });
  }
}

addEventListener("message", ({ data }: MessageEvent<ToKeys>) => {
  switch (data.type) {
    case "start": {
      const { user, config } = data;
      const token = isOidc(config.signIn) ? () => session!.token() : developmentTokens(config.signIn, user);
      member = new Member({ ...data, token, tell });
      member.start().catch(fault);
      break;
    }
    case "text":
      void member?.say(data.group, data.text);
      break;
    case "leave":
      void (member?.leave() ?? Promise.resolve()).then(() =>
        tell({ type: "go", url: undefined, request: undefined }),
      );
      break;
    default:
      void signIn(data);
  }
});
