/** Members, each with the state of the key that is looked at; a page at a time, so that a thousand cost no more than a hundred. */
import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import type { DeliveryRecord, DeliveryState, MemberRecord } from "../../../store/gms/records.ts";
import { AskButton } from "./dialog.tsx";
import { LostButton } from "./lost.tsx";
import { PriorityField, priorityIn } from "./member-fields.tsx";
import { change, MOST_MEMBERS, members, shownRekey, shownStates } from "./store.ts";
import { Table } from "./table.tsx";
import { STATE_WORDS, STATES, timeText } from "./words.ts";

const ROWS = 50;

export function Members({ uri }: { readonly uri: string }) {
  const [state, setState] = useState<DeliveryState | undefined>(undefined);
  const [sought, setSought] = useState("");
  const [page, setPage] = useState(0);
  const rekey = shownRekey.value;
  const states = shownStates.value;
  const all = members.value ?? [];
  const seek = sought.toLowerCase();
  const found = all.filter(
    (member) =>
      (state === undefined || states.get(member.uri)?.state === state) &&
      member.uri.toLowerCase().includes(seek),
  );
  const last = Math.max(0, Math.ceil(found.length / ROWS) - 1);
  const at = Math.min(page, last);
  const rows = found.slice(at * ROWS, (at + 1) * ROWS);
  // A row whose state is the same is the same to Preact, which leaves it alone.
  const drawn = useRef(new Map<string, Drawn>());
  const rowOf = (member: MemberRecord) => {
    const delivery = states.get(member.uri);
    const before = drawn.current.get(member.uri);
    if (before !== undefined && before.delivery === delivery && before.member === member) return before.row;
    const row = <Row key={member.uri} group={uri} member={member} delivery={delivery} />;
    drawn.current.set(member.uri, { member, delivery, row });
    return row;
  };
  return (
    <section aria-label="Members">
      <div class="head">
        <h2>Members</h2>
        <label class="seek">
          Find
          <input
            type="search"
            value={sought}
            onInput={(event) => {
              setSought(event.currentTarget.value);
              setPage(0);
            }}
          />
        </label>
      </div>
      {rekey !== undefined && (
        <fieldset class="filters">
          <legend class="hidden">Members in which state</legend>
          {STATES.map((name) => (
            <button
              key={name}
              type="button"
              class={`state ${name}`}
              aria-pressed={state === name}
              onClick={() => {
                setState(state === name ? undefined : name);
                setPage(0);
              }}
            >
              <strong data-state={name}>{rekey.counts[name]}</strong> {STATE_WORDS[name]}
            </button>
          ))}
        </fieldset>
      )}
      <Table
        label="Members with their states"
        columns={["Member", "Key", "Since", "Tries"]}
        wide={["Since", "Tries"]}
        hasActions
        caption={`${found.length} members`}
        class="members"
      >
        {rows.map(rowOf)}{" "}
      </Table>
      <div class="buttons">
        <button type="button" disabled={at === 0} onClick={() => setPage(at - 1)}>
          Back
        </button>
        <span>
          {found.length === 0 ? "none" : `${at * ROWS + 1} to ${at * ROWS + rows.length} of ${found.length}`}
        </span>
        <button type="button" disabled={at === last} onClick={() => setPage(at + 1)}>
          Next
        </button>
      </div>
      {all.length >= MOST_MEMBERS && (
        <p class="quiet">
          These are the first {MOST_MEMBERS} by identity. The counts are of all;{" "}
          <code>mikey-sakke group status</code> lists the others.
        </p>
      )}
    </section>
  );
}

interface Drawn {
  readonly member: MemberRecord;
  readonly delivery: DeliveryRecord | undefined;
  readonly row: VNode;
}

function Row(props: Omit<Drawn, "row"> & { readonly group: string }) {
  const { group, member, delivery } = props;
  const { uri, kind, priority } = member;
  return (
    <tr>
      <th scope="row">
        {uri}
        {kind !== "user" && <span class="quiet"> ({kind})</span>}
        {priority !== undefined && <span class="quiet"> priority {priority}</span>}
      </th>
      <td>
        {delivery !== undefined && (
          <>
            <span class={`state ${delivery.state}`}>{STATE_WORDS[delivery.state]}</span>
            {delivery.reason !== undefined && <span class="reason"> {reasonText(delivery)}</span>}
          </>
        )}
      </td>
      <td class="wide">{delivery !== undefined && timeText(delivery.changedAt)}</td>
      <td class="wide">{delivery?.attempts}</td>
      <td class="actions">
        {kind === "user" && (
          <AskButton
            text="Priority"
            label={`Priority of ${uri}`}
            title={`Priority of ${uri}`}
            act={(fields) => change.setPriority(group, uri, priorityIn(fields))}
          >
            <PriorityField priority={priority} />
          </AskButton>
        )}
        <AskButton
          text="Remove"
          label={`Remove ${uri}`}
          title={`Remove ${uri} from the group?`}
          act={() => change.removeMember(group, uri)}
        >
          <p>The others get a new key at once.</p>
        </AskButton>
        {kind === "user" && <LostButton user={uri} />}
      </td>
    </tr>
  );
}

function reasonText({ status, reason }: DeliveryRecord): string {
  return [status, reason].filter((part) => part !== undefined).join(" ");
}
