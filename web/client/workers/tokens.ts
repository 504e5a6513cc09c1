/** Access tokens of the user, asked for again before they are over. */
import type { DevelopmentSignIn, Tokens } from "../config.ts";

/** Part of their lifetime after which they are taken as over. */
const SHARE = 0.8;

export function developmentTokens({ development }: DevelopmentSignIn, user: string) {
  let tokens: Promise<Tokens> | undefined;
  let until = 0;
  async function ask(): Promise<Tokens> {
    const response = await fetch(development, {
      method: "POST",
      headers: { "content-type": "application/json" },
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
