/** Fields of a dialog for users and members: one a line. */
import { defined } from "../../../base/defined.ts";
import type { NewMember } from "../../../roles/gms/common/ports.ts";
import { MAX_PRIORITY, type MemberKind } from "../../../store/gms/records.ts";

const KINDS: Readonly<Record<MemberKind, string>> = {
  user: "users",
  "mcx-server": "MCX servers, which mix under the key",
  gms: "group management servers",
};

export function UrisField({ label }: { readonly label: string }) {
  return (
    <label>
      {label}, one a line
      <textarea name="members" rows={5} required spellcheck={false} placeholder="sip:alice@example.org" />
    </label>
  );
}

export function MembersField() {
  return (
    <>
      <UrisField label="Members" />
      <details>
        <summary>KMS, kind and priority</summary>
        <div class="fields">
          <p class="quiet">The KmsUri of a member of another KMS goes behind the identity, after a space.</p>
          <label>
            They are
            <select name="kind">
              {Object.entries(KINDS).map(([kind, text]) => (
                <option key={kind} value={kind}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <PriorityField />
        </div>
      </details>
    </>
  );
}

export function PriorityField({ priority }: { readonly priority?: number | undefined }) {
  return (
    <label>
      Priority of their requests for the floor, 0 to {MAX_PRIORITY}; empty: none
      <input name="priority" type="number" min={0} max={MAX_PRIORITY} defaultValue={priority ?? ""} />
    </label>
  );
}

export function priorityIn(fields: FormData): number | undefined {
  const text = String(fields.get("priority"));
  return text === "" ? undefined : Number(text);
}

/** URIs, or other words, of a field that has one a line. */
export function wordsIn(fields: FormData, name: string): string[] {
  return [...new Set(partsOf(fields, name, /[\s,]+/))];
}

/** @throws {Error} naming a line with more than an identity and a KmsUri, and an identity that is there twice */
export function membersIn(fields: FormData): NewMember[] {
  const kind = String(fields.get("kind")) as MemberKind;
  const priority = priorityIn(fields);
  const found = new Map<string, NewMember>();
  for (const line of partsOf(fields, "members", /[\n,]+/)) {
    const [uri = "", kmsUri, ...more] = line.split(/\s+/);
    if (more.length > 0) throw new Error(`"${line}": expected an identity, and at most a KmsUri behind it`);
    if (found.has(uri)) throw new Error(`${uri} is there twice`);
    found.set(uri, { uri, kind, ...defined({ kmsUri, priority }) });
  }
  return [...found.values()];
}

function partsOf(fields: FormData, name: string, border: RegExp): string[] {
  return String(fields.get(name) ?? "")
    .split(border)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
