/** Tells the worker of keys who the user is, where they sign in at an identity management server. */
import type { FromKeys, SignInMessage } from "../messages.ts";
import { beginLogin, OidcSession } from "./oidc-session.ts";

/** The session, where there is one afterwards. */
export async function takeSignIn(
  message: SignInMessage,
  session: OidcSession | undefined,
  tell: (message: FromKeys) => void,
): Promise<OidcSession | undefined> {
  if (message.type === "log-out") {
    // What could not be given back ends by itself.
    const url = await session?.end().catch(() => undefined);
    tell({ type: "go", url, request: undefined });
    return undefined;
  }
  const { signIn, page } = message;
  if (message.type === "log-in") {
    const request = await beginLogin(signIn, page);
    tell({ type: "go", url: request.url, request });
    return session;
  }
  const options = { signIn, page, onEnd: () => tell({ type: "user", user: undefined }) };
  const found =
    message.type === "logged-in"
      ? await OidcSession.begin(options, message.request, message.answer)
      : await OidcSession.resume(options, message.user);
  tell({ type: "user", user: found?.user });
  return found;
}
