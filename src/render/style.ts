import pc from 'picocolors';

/** Colours, or none: what a line means never depends on them. */
export type Style = ReturnType<typeof pc.createColors>;

export function styleFor(colour: boolean): Style {
  return pc.createColors(colour);
}

/** Pads every column but the last to its widest cell; colours are put on afterwards, so cells are plain text. */
export function columns(rows: readonly (readonly string[])[], gap = '  '): string[][] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row.map((cell, index) => (index < row.length - 1 ? cell.padEnd(widths[index] ?? 0) + gap : cell)),
  );
}

/** Many short texts in aligned columns, as few rows as fit a page. */
export function spread(texts: readonly string[], width = 92): string[] {
  const widest = Math.max(0, ...texts.map(({ length }) => length));
  const perRow = Math.max(1, Math.floor((width + 2) / (widest + 2)));
  const rows = Array.from({ length: Math.ceil(texts.length / perRow) }, (_, row) =>
    texts.slice(row * perRow, (row + 1) * perRow),
  );
  return rows.map((row) =>
    row
      .map((text) => text.padEnd(widest))
      .join('  ')
      .trimEnd(),
  );
}

/** `1 target`, `2 targets`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}
