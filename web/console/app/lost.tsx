/** A lost radio: two clicks, and then how far it is until nobody takes its keys any more. */
import { useState } from "preact/hooks";
import type { LostView } from "../../../roles/console/messages.ts";
import { refusedKeys } from "../../../roles/gms/common/refused-keys.ts";
import { say } from "../../client/app/notice.ts";
import { Chart } from "./chart.tsx";
import { AskButton } from "./dialog.tsx";
import { change, lost } from "./store.ts";
import { span, timeText } from "./words.ts";

export function LostButton({ user }: { readonly user: string }) {
  return (
    <AskButton
      text="Radio lost"
      label={`Radio lost: ${user}`}
      title={`Shut out ${user}?`}
      isGrave
      act={async () => {
        const begun = await change.loseUser(user, "radio lost");
        lost.value = [...lost.value.filter((one) => one.user !== user), begun];
        say(`${user} is revoked and in no group`);
        scrollTo({ top: 0 });
      }}
    >
      <p>
        They get no more keys from the KMS and leave all groups; the others get new keys, and the old ones are
        revoked.
      </p>
    </AskButton>
  );
}

export function Lost() {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const keyOf = ({ user, startedAt }: LostView) => `${user} ${startedAt}`;
  const shown = lost.value.filter((one) => !hidden.has(keyOf(one)));
  if (shown.length === 0) return null;
  return (
    <section class="lost" aria-label="Lost radios">
      {shown.map((one) => (
        <article key={keyOf(one)} aria-label={`Lost radio of ${one.user}`}>
          <div class="head">
            <h2>Radio lost: {one.user}</h2>
            {(one.done || one.fault !== undefined) && (
              <button
                type="button"
                aria-label={`Put away ${one.user}`}
                onClick={() => setHidden(new Set([...hidden, keyOf(one)]))}
              >
                Put away
              </button>
            )}
          </div>
          <State one={one} />
        </article>
      ))}
    </section>
  );
}

function State({ one }: { readonly one: LostView }) {
  const { course, startedAt, others, gmks, groups, done, outstanding, fault, actor } = one;
  const last = course.at(-1)!;
  const hold = others - last.withoutKey;
  const refuse = others - last.unaware;
  const words = `${hold} of ${others} have the new keys, ${last.revoked} of ${gmks} old keys are revoked`;
  return (
    <>
      <p role="status">
        {done
          ? `Done after ${span(last.at - startedAt)}: ${refusedKeys(gmks)}.`
          : `Revoked at the KMS and in no group since ${timeText(startedAt)}, by ${actor}. ${words}.`}
      </p>
      {fault !== undefined && <p class="fault">It is followed no longer: {fault}. Press again to go on.</p>}
      <progress
        value={done ? 1 : last.revoked === gmks ? refuse / Math.max(others, 1) : hold / Math.max(others, 1)}
        max={1}
        aria-label="How far it is"
      />
      <Chart
        lines={[
          {
            name: "have the new keys",
            points: course.map(({ at, withoutKey }) => [at, others - withoutKey] as const),
          },
          {
            name: "know that the old ones are revoked",
            points: course.map(
              ({ at, unaware, revoked }) => [at, revoked === 0 ? 0 : others - unaware] as const,
            ),
          },
        ]}
        from={startedAt}
        total={others}
        label={words}
      />
      <p class="quiet">
        {groups.length} {groups.length === 1 ? "group" : "groups"}: {groups.join(", ")}
      </p>
      {!done && outstanding.length > 0 && (
        <details>
          <summary>Who has not answered</summary>
          <ul>
            {outstanding.map((uri) => (
              <li key={uri}>{uri}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
