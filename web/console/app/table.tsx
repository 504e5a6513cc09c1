/** A table that scrolls by itself where the page is narrow. */
import type { ComponentChildren } from "preact";

interface TableProps {
  /** Accessible name of the part that scrolls. */
  readonly label: string;
  /** Headings. */
  readonly columns: readonly string[];
  /** Headings of columns that a narrow page leaves out. */
  readonly wide?: readonly string[];
  /** Whether a last column, with a heading for screen readers only, has buttons. */
  readonly hasActions?: boolean;
  /** A caption for screen readers. */
  readonly caption?: string;
  readonly class?: string;
  /** Rows. */
  readonly children: ComponentChildren;
}

export function Table({ label, columns, wide = [], hasActions, caption, class: name, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table class={name}>
        {caption !== undefined && <caption class="hidden">{caption}</caption>}
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" class={wide.includes(column) ? "wide" : undefined}>
                {column}
              </th>
            ))}
            {hasActions === true && (
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
