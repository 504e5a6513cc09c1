/** Writes identities and times for people. */

/** "fire" of sip:fire@example.org; the whole where there is no user part. */
export function shortName(uri: string): string {
  return /^\w+:([^@]+)@/.exec(uri)?.[1] ?? uri;
}

/** "14:02", or with the date when it is another day. */
export function timeText(at: number, now = Date.now()): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === today.toDateString() ? time : `${then.toLocaleDateString()} ${time}`;
}
