/** Reads the exposition text of Prometheus, as far as the metrics of these servers use it. */

/** One line. `labels` is the text between the braces, as it was written. */
export interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? (\S+)$/;

/** Lines that are no samples, and values that are not finite, are left out. */
export function readExposition(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = LINE.exec(line) ?? [];
    if (name !== undefined && Number.isFinite(Number(value)))
      samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}

/** The value of one label; undefined where it is absent. */
export function labelOf({ labels }: Sample, name: string): string | undefined {
  const start = `,${name}="`;
  const [, rest] = `,${labels}`.split(start, 2);
  return rest?.slice(0, rest.indexOf('"'));
}
