/** The user's identity before they join: what `config.json` says of it, and the session at an identity management server. */
import { signal } from "@preact/signals-core";
import type { LoginRequest } from "../../../roles/identity/oidc.ts";
import { isOidc, type PageConfig } from "../config.ts";
import type { FromKeys } from "../messages.ts";
import { listenToKeys, tellKeys } from "./keys-worker.ts";

/** The name of the record that is kept in the tab while the user is at the identity management server. */
const REQUEST = "sign-in";

export const config = signal<PageConfig | undefined>(undefined);
/** The session at the identity management server; undefined while it is not known yet. */
export const session = signal<{ readonly user: string | undefined } | undefined>(undefined);
/** The fault that occurred before the user joined. */
export const fault = signal("");

/** The address of this page, which the identity management server knows it by. */
const page = location.origin + location.pathname;

export async function begin(): Promise<void> {
  try {
    const response = await fetch("config.json");
    if (!response.ok) throw new Error(String(response.status));
    config.value = (await response.json()) as PageConfig;
  } catch (error) {
    fault.value = `The page's servers are not known: ${String(error)}`;
    return;
  }
  const { signIn } = config.value;
  listenToKeys(take);
  if (!isOidc(signIn)) return;
  const [answer, kept] = [location.search, sessionStorage.getItem(REQUEST)];
  const isBack = new URLSearchParams(answer).has("state");
  const user = localStorage.getItem("user");
  if (kept !== null && isBack) {
    sessionStorage.removeItem(REQUEST);
    // The code is good once: neither a reload nor the history has it.
    history.replaceState(null, "", page);
    tellKeys({ type: "logged-in", signIn, page, request: JSON.parse(kept) as LoginRequest, answer });
  } else if (user !== null) tellKeys({ type: "resume", signIn, page, user });
  else session.value = { user: undefined };
}

/** Leaves the page for the identity management server. */
export function logIn(): void {
  const signIn = config.value?.signIn;
  if (signIn !== undefined && isOidc(signIn)) tellKeys({ type: "log-in", signIn, page });
}

/** Back to the first screen. The user stays signed in. */
export function leave(): void {
  tellKeys({ type: "leave" });
}

export function logOut(): void {
  localStorage.removeItem("user");
  tellKeys({ type: "log-out" });
}

function take(message: FromKeys): void {
  if (message.type === "user") {
    session.value = { user: message.user };
    if (message.user !== undefined) localStorage.setItem("user", message.user);
  } else if (message.type === "fault") fault.value = message.text;
  else if (message.type === "go") {
    if (message.request !== undefined) sessionStorage.setItem(REQUEST, JSON.stringify(message.request));
    location.assign(message.url ?? page);
  }
}
