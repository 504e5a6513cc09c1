/** One group: its keys, how far the newest is, its members with the state of each, and what can be done. */
import { useEffect } from "preact/hooks";
import type { GmkRecord } from "../../../store/gms/records.ts";
import { say } from "../../client/app/notice.ts";
import { Chart, countedUp } from "./chart.tsx";
import { AskButton } from "./dialog.tsx";
import { MembersField, membersIn } from "./member-fields.tsx";
import { Members } from "./members.tsx";
import { RekeyFields, rekeyIn } from "./rekey-fields.tsx";
import { go, hrefOf } from "./route.ts";
import { ChangedSettings, revisionIn, settingsIn } from "./setting-fields.tsx";
import {
  change,
  chosenRekey,
  gmks,
  group,
  groupRekeys,
  groups,
  members,
  shownRekey,
  shownStates,
} from "./store.ts";
import { Table } from "./table.tsx";
import { hex, rekeyText, span, timeText } from "./words.ts";

export function Group({ uri }: { readonly uri: string }) {
  const found = group.value;
  if (found === undefined) {
    return (
      <>
        <h1>{uri}</h1>
        <p>
          {groups.value === undefined ? "Loading …" : "There is no such group."}{" "}
          <a href={hrefOf("groups")}>All groups</a>
        </p>
      </>
    );
  }
  return (
    <>
      <p>
        <a href={hrefOf("groups")}>All groups</a>
      </p>
      <div class="head">
        <div>
          <h1>{found.settings.displayName}</h1>
          <p class="quiet">{uri}</p>
        </div>
        <div class="buttons">
          <AskButton
            text="New key"
            title={`A new key for ${found.settings.displayName}?`}
            act={async (fields) => {
              await change.rekey(uri, rekeyIn(fields));
              chosenRekey.value = undefined;
            }}
          >
            <p>
              All {members.value?.length ?? ""} members get it. The key in use stays valid for what is under
              way, unless you say otherwise.
            </p>
            <RekeyFields />
          </AskButton>
          <AskButton
            text="Add members"
            title="Add members"
            act={async (fields) => {
              const { warnings = [] } = await change.addMembers(uri, membersIn(fields));
              say(warnings.join(". "));
            }}
          >
            <MembersField />
          </AskButton>
          <AskButton
            text="Settings"
            title={`Settings of ${found.settings.displayName}`}
            act={(fields) => change.setGroup(uri, settingsIn(fields), revisionIn(fields))}
          >
            <ChangedSettings group={found} />
          </AskButton>
          <AskButton
            text="Delete group"
            title={`Delete ${uri}?`}
            isGrave
            act={async () => {
              await change.deleteGroup(uri);
              go("groups");
            }}
          >
            <p>Its keys are revoked. This cannot be taken back.</p>
          </AskButton>
        </div>
      </div>
      <Delivery />
      <Members uri={uri} />
      <Keys />
    </>
  );
}

function Delivery() {
  const rekey = shownRekey.value;
  const rekeysOf = groupRekeys.value;
  const accepted = rekey?.counts.acknowledged ?? 0;
  const total = rekey?.total ?? 0;
  useProgressNotice(accepted, total, rekey?.id);
  if (rekey === undefined) return null;
  const points = countedUp(
    [...shownStates.value.values()].flatMap(({ state, changedAt }) =>
      state === "acknowledged" ? [changedAt] : [],
    ),
  );
  const took = (share: number) => {
    const at = points.find(([, count]) => count >= share * total)?.[0];
    return at === undefined ? undefined : span(Math.max(0, at - rekey.createdAt));
  };
  const words = [
    `${accepted} of ${total} accepted`,
    ...(total > 1 && took(0.5) !== undefined ? [`half of them after ${took(0.5)}`] : []),
    ...(accepted === total && took(1) !== undefined ? [`the last after ${took(1)}`] : []),
  ].join(", ");
  return (
    <section aria-label="Delivery">
      <div class="head">
        <h2>Delivery</h2>
        <label class="seek">
          Of
          <select
            value={String(rekey.id)}
            onChange={(event) => {
              chosenRekey.value = Number(event.currentTarget.value);
            }}
          >
            {rekeysOf.map((one) => (
              <option key={one.id} value={String(one.id)}>
                {rekeyText(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="figure">
        <strong data-figure="accepted">{accepted}</strong> of <span data-figure="total">{total}</span>{" "}
        accepted
        {rekey.state === "running" && ", under way"}
        {rekey.state === "superseded" && ", a newer one took its place"}
      </p>
      <progress value={accepted} max={Math.max(total, 1)} aria-label="Accepted" />
      <Chart lines={[{ name: "accepted", points }]} from={rekey.createdAt} total={total} label={words} />
      <p class="quiet">{words}</p>
    </section>
  );
}

/** Screen readers hear of quarters, not of each member. */
function useProgressNotice(accepted: number, total: number, id: number | undefined): void {
  const quarter = total === 0 ? 0 : Math.floor((4 * accepted) / total);
  useEffect(() => {
    if (quarter > 0) say(`${accepted} of ${total} accepted`);
  }, [quarter, id]);
}

function Keys() {
  return (
    <section aria-label="Keys">
      <h2>Keys</h2>
      <Table label="Keys of the group" columns={["GMK-ID", "State", "Since", "Until"]} hasActions>
        {[...gmks.value]
          .sort((a, b) => b.id - a.id)
          .map((gmk) => (
            <Key key={gmk.id} gmk={gmk} />
          ))}
      </Table>
    </section>
  );
}

const KEY_WORDS = {
  live: "in use",
  retired: "was in use, still received under",
  revoked: "revoked",
} as const;

function Key({ gmk }: { readonly gmk: GmkRecord }) {
  const { gmkId, state, activation, expiry, revokeAt, groups: shared } = gmk;
  const id = hex(gmkId);
  return (
    <tr>
      <th scope="row">
        <code>{id}</code>
      </th>
      <td>
        {KEY_WORDS[state]}
        {revokeAt !== undefined && state !== "revoked" && `, revoked at ${timeText(revokeAt)}`}
        {shared.length > 1 && `, shared by ${shared.length} groups`}
      </td>
      <td>{timeText(activation)}</td>
      <td>{expiry === undefined ? "revoked" : timeText(expiry)}</td>
      <td>
        {state !== "revoked" && (
          <AskButton
            text="Revoke"
            label={`Revoke key ${id}`}
            title={`Revoke key ${id}?`}
            isGrave
            act={() => change.revokeGmk(id)}
          >
            <p>
              Members refuse it from then on.{" "}
              {state === "live" && "The group has no key until you give it a new one."}
            </p>
          </AskButton>
        )}
      </td>
    </tr>
  );
}
