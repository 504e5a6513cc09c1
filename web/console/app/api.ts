/** Questions and changes, as the session that the cookie is of. */
import { signal } from "@preact/signals";
import { defined, ifDefined } from "../../../base/defined.ts";
import type { SessionView } from "../../../roles/console/messages.ts";

/** Undefined: signed out. Null: not known yet. */
export const session = signal<SessionView | null | undefined>(null);

export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export async function api<T>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: {
      ...headers,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(method !== "GET" && session.value && { "csrf-token": session.value.csrf }),
    },
    ...defined({ body: ifDefined(body, JSON.stringify) }),
  }).catch(() => {
    throw new ApiError("OFFLINE", "the console does not answer: is the server running?");
  });
  const text = await response.text();
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  const error = errorOf(text) ?? new ApiError("FAILED", `HTTP status ${response.status}`);
  if (error.code === "SIGN_IN") session.value = undefined;
  throw error;
}

/** An operation of the KMS. */
export async function askKms<T>(operation: string, body: object = {}): Promise<T> {
  return (await api<{ result: T }>("POST", `/kms/v1/${operation}`, body)).result;
}

function errorOf(text: string): ApiError | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code: string; message: string } };
    return error && new ApiError(error.code, error.message);
  } catch {
    return undefined;
  }
}

export async function lookForSession(): Promise<void> {
  const found = await api<SessionView>("GET", "/session").catch(() => undefined);
  session.value = found;
}

export async function signIn(code: string, name: string): Promise<void> {
  localStorage.setItem("name", name);
  session.value = await api<SessionView>("POST", "/session", { code, name });
}

export async function signOut(): Promise<void> {
  await api("DELETE", "/session").catch(() => undefined);
  session.value = undefined;
}
