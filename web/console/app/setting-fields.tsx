/** Fields of a dialog for the settings of a group. */
import { useState } from "preact/hooks";
import { DEFAULT_SERVICES } from "../../../roles/gms/common/services.ts";
import type { GroupRecord, GroupSettings, McService } from "../../../store/gms/records.ts";
import { wordsIn } from "./member-fields.tsx";

const SERVICES: Readonly<Record<McService, string>> = {
  mcptt: "Speech (MCPTT)",
  mcvideo: "Video (MCVideo)",
  mcdata: "Data (MCData)",
};
const HOUR_MS = 3_600_000;

/** Fields for the settings of a group that is there, with their revision. */
export function ChangedSettings({ group }: { readonly group: GroupRecord }) {
  // As they were when the dialog opened: what others change meanwhile makes another revision, and is not overwritten.
  const [{ settings, revision }] = useState(group);
  return (
    <>
      <input type="hidden" name="revision" value={revision} />
      <NameField settings={settings} />
      <SettingFields settings={settings} />
    </>
  );
}

interface Present {
  /** Undefined for a group that is to be made. */
  readonly settings?: GroupSettings;
}

export function NameField({ settings }: Present) {
  return (
    <label>
      Name
      <input
        name="display"
        autocomplete="off"
        placeholder="Fire brigade"
        defaultValue={settings?.displayName ?? ""}
      />
    </label>
  );
}

export function SettingFields({ settings }: Present) {
  const services = settings?.services ?? DEFAULT_SERVICES;
  return (
    <>
      <fieldset>
        <legend>Services</legend>
        {Object.entries(SERVICES).map(([service, text]) => (
          <label key={service} class="check">
            <input
              type="checkbox"
              name="services"
              value={service}
              defaultChecked={services.includes(service as McService)}
            />
            {text}
          </label>
        ))}
      </fieldset>
      <label>
        Users who may manage the group, one a line
        <textarea
          name="managers"
          rows={2}
          spellcheck={false}
          defaultValue={settings?.managers.join("\n") ?? ""}
        />
      </label>
      <HoursField name="rekeyEvery" ms={settings?.rekeyEveryMs}>
        A new key every so many hours; empty: only when one is needed
      </HoursField>
      <HoursField name="lifetime" ms={settings?.gmkLifetimeMs}>
        Hours for which a key serves; empty: as the GMS is set
      </HoursField>
      <label class="check">
        <input type="checkbox" name="rekeyOnAdd" defaultChecked={settings?.rekeyOnAdd === true} />
        Added members bring a new key for all
      </label>
    </>
  );
}

function HoursField(field: {
  readonly name: string;
  readonly ms: number | undefined;
  readonly children: string;
}) {
  const { name, ms, children } = field;
  return (
    <label>
      {children}
      <input
        name={name}
        type="number"
        min={0}
        step="any"
        defaultValue={ms === undefined ? "" : String(ms / HOUR_MS)}
      />
    </label>
  );
}

/** Returns the settings that the dialog has; a span of 0 stands for none. */
export function settingsIn(fields: FormData): Partial<GroupSettings> {
  const hours = (name: string) => Math.round(Number(fields.get(name)) * HOUR_MS);
  const displayName = String(fields.get("display")).trim();
  return {
    ...(displayName !== "" && { displayName }),
    services: fields.getAll("services") as McService[],
    managers: wordsIn(fields, "managers"),
    rekeyEveryMs: hours("rekeyEvery"),
    gmkLifetimeMs: hours("lifetime"),
    rekeyOnAdd: fields.has("rekeyOnAdd"),
  };
}

/** Returns the revision of the settings that the dialog showed. */
export function revisionIn(fields: FormData): number {
  return Number(fields.get("revision"));
}
