/** Fields of the dialog for a new key: when it serves, for whom, and what becomes of the keys before it. */
import { defined } from "../../../base/defined.ts";
import type { RekeyOptions } from "../../../roles/gms/common/ports.ts";
import { wordsIn } from "./member-fields.tsx";

export function RekeyFields() {
  return (
    <details>
      <summary>When, for whom, and why</summary>
      <div class="fields">
        <label>
          Senders use it from; empty: at once
          <input name="activation" type="datetime-local" step={1} />
        </label>
        <label>
          It expires; empty: as the group is set
          <input name="expiry" type="datetime-local" step={1} />
        </label>
        <label>
          Text for the members
          <input name="text" autocomplete="off" maxLength={1024} />
        </label>
        <label>
          Other groups that use the same key, one a line
          <textarea name="sharedWith" rows={2} spellcheck={false} placeholder="sip:boats@example.org" />
        </label>
        <fieldset>
          <legend>The keys in use</legend>
          {[
            ["", "stay valid for what is under way"],
            ["keep", "stay in use beside it"],
            ["revoke", "are revoked once the members have it"],
          ].map(([value, text]) => (
            <label key={value} class="check">
              <input type="radio" name="present" value={value} defaultChecked={value === ""} />
              {text}
            </label>
          ))}
        </fieldset>
      </div>
    </details>
  );
}

export function rekeyIn(fields: FormData): RekeyOptions {
  const textOf = (name: string) => String(fields.get(name) ?? "").trim();
  const timeOf = (name: string) => (textOf(name) === "" ? undefined : Date.parse(textOf(name)));
  const sharedWith = wordsIn(fields, "sharedWith");
  const present = textOf("present");
  return {
    ...defined({ activation: timeOf("activation"), expiry: timeOf("expiry") }),
    ...(textOf("text") !== "" && { text: textOf("text") }),
    ...(sharedWith.length > 0 && { sharedWith }),
    ...(present === "keep" && { keep: true }),
    ...(present === "revoke" && { revokeOld: true }),
  };
}
