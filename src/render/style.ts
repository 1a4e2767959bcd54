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

/** `1 target`, `2 targets`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}
