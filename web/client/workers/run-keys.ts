/** Runs the worker of keys and SIP, which lives as long as the page. */
import { type DevelopmentSignIn, isOidc, type Tokens } from "../config.ts";
import type { FromKeys, SignInMessage, ToKeys } from "../messages.ts";
import { Member, type MemberExtras } from "./member.ts";
import type { OidcSession } from "./oidc-session.ts";

/** Part of the lifetime of access tokens after which they are taken as over. */
const SHARE = 0.8;

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

/** `extras`: what a page has beside calls of groups and their texts. */
export function runKeys(extras?: MemberExtras): void {
  addEventListener("message", ({ data }: MessageEvent<ToKeys>) => take(data, extras));
}

function take(data: ToKeys, extras: MemberExtras | undefined): void {
  switch (data.type) {
    case "start": {
      const { user, config } = data;
      const token = isOidc(config.signIn) ? () => session!.token() : developmentTokens(config.signIn, user);
      member = new Member({ ...data, token, tell, extras });
      member.start().catch(fault);
      break;
    }
    case "text":
      void member?.say(data.group, data.text);
      break;
    case "choose":
      member?.choose(data.groups);
      break;
    case "shown":
      member?.shown(data.groups);
      break;
    case "call-user":
      member?.privateCalls?.call(data.user).catch(fault);
      break;
    case "hang-up":
      member?.privateCalls?.hangUp();
      break;
    case "leave":
      void (member?.leave() ?? Promise.resolve()).then(() =>
        tell({ type: "go", url: undefined, request: undefined }),
      );
      break;
    default:
      void signIn(data);
  }
}

/** Returns what gives the access tokens of the user, which are asked for again before they are over. */
function developmentTokens({ development, headers }: DevelopmentSignIn, user: string) {
  let tokens: Promise<Tokens> | undefined;
  let until = 0;
  async function ask(): Promise<Tokens> {
    const response = await fetch(development, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ user }),
    });
    if (!response.ok) throw new Error(`no access token for ${user}: ${response.status}`);
    const given = (await response.json()) as Tokens;
    until = performance.now() + SHARE * given.lifetime * 1000;
    return given;
  }
  return async (server: "kms" | "gms" | "mcx"): Promise<string> => {
    if (tokens === undefined || performance.now() > until) {
      tokens = ask();
      tokens.catch(() => {
        tokens = undefined;
      });
    }
    return (await tokens)[server];
  };
}
