/** The state of the group's keys, in words. */
import type { KeyView } from "../messages.ts";
import { timeText } from "./names.ts";
import { group } from "./store.ts";

export function Keys() {
  const known = group.value;
  if (known === undefined) return null;
  const { key, others } = known;
  return (
    <section class="keys" aria-label="Keys">
      <h2>Keys</h2>
      {key === undefined ? (
        <p>There is no key: nothing can be said or heard.</p>
      ) : (
        <p>
          Key <code>{key.gmkId}</code> since {timeText(key.activation)}
          {key.from !== undefined && `, from ${key.from}`}
          {key.expiry !== undefined && `, until ${timeText(key.expiry)}`}.
        </p>
      )}
      {others.length > 0 && (
        <ul>
          {others.map((other) => (
            <li key={other.gmkId}>{wordsOf(other)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function wordsOf({ gmkId, state, activation, expiry }: KeyView): string {
  switch (state) {
    case "pending":
      return `${gmkId} begins ${timeText(activation)}`;
    case "expired":
      return `${gmkId} is over since ${timeText(expiry ?? activation)}`;
    case "revoked":
      return `${gmkId} was revoked, and is gone from here`;
    default:
      return `${gmkId} was in use before, and is still received under`;
  }
}
