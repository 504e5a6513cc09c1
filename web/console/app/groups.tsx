/** All groups, each with how far its newest key is; and a new one. */
import { computed } from "@preact/signals";
import { useState } from "preact/hooks";
import type { RekeyRecord } from "../../../store/gms/records.ts";
import { say } from "../../client/app/notice.ts";
import { AskButton } from "./dialog.tsx";
import { MembersField, membersIn } from "./member-fields.tsx";
import { go, hrefOf } from "./route.ts";
import { NameField, SettingFields, settingsIn } from "./setting-fields.tsx";
import { change, groups, rekeys } from "./store.ts";
import { Tour } from "./tour.tsx";
import { STATE_WORDS, STATES } from "./words.ts";

/** The newest of each group. */
const newest = computed(() => {
  const found = new Map<string, RekeyRecord>();
  for (const rekey of rekeys.value.values()) {
    for (const uri of rekey.groups) {
      if ((found.get(uri)?.id ?? -1) < rekey.id) found.set(uri, rekey);
    }
  }
  return found;
});

/** Drawn at a time. */
const SHOWN = 200;

export function Groups() {
  const [sought, setSought] = useState("");
  const all = groups.value;
  const found = (all ?? []).filter(({ uri, settings }) =>
    `${uri} ${settings.displayName}`.toLowerCase().includes(sought.toLowerCase()),
  );
  return (
    <>
      <div class="head">
        <h1>Groups</h1>
        <NewGroup />
      </div>
      <Tour />
      {all !== undefined && all.length > 0 && (
        <>
          <label class="seek">
            Find
            <input type="search" value={sought} onInput={(event) => setSought(event.currentTarget.value)} />
          </label>
          <ul class="cards" aria-label="Groups">
            {found.slice(0, SHOWN).map(({ uri, settings }) => (
              <li key={uri}>
                <a href={hrefOf("groups", uri)}>
                  <strong>{settings.displayName}</strong>
                  <span class="quiet">{uri}</span>
                  <span>{progressText(newest.value.get(uri))}</span>
                </a>
              </li>
            ))}
          </ul>
          {found.length > SHOWN && <p>{found.length - SHOWN} more: say more of the name to see them.</p>}
        </>
      )}
    </>
  );
}

function progressText(rekey: RekeyRecord | undefined): string {
  if (rekey === undefined) return "";
  const { counts, total, state } = rekey;
  const others = STATES.filter((name) => name !== "acknowledged" && counts[name] > 0);
  const rest = others.map((name) => `${counts[name]} ${STATE_WORDS[name]}`);
  return [
    `${counts.acknowledged} of ${total} accepted`,
    ...rest,
    ...(state === "running" ? ["under way"] : []),
  ].join(", ");
}

function NewGroup() {
  return (
    <AskButton
      text="New group"
      title="New group"
      act={async (fields) => {
        const uri = String(fields.get("uri")).trim();
        const { warnings = [] } = await change.createGroup(uri, membersIn(fields), settingsIn(fields));
        say([`${uri} is made`, ...warnings].join(". "));
        go("groups", uri);
      }}
    >
      <label>
        Identity
        <input name="uri" required spellcheck={false} autocomplete="off" placeholder="sip:fire@example.org" />
      </label>
      <NameField />
      <MembersField />
      <details>
        <summary>Settings</summary>
        <div class="fields">
          <SettingFields />
        </div>
      </details>
    </AskButton>
  );
}
