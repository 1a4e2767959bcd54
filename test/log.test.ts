import { expect, test } from 'vitest';
import { FatalError } from '../src/errors.ts';
import { createLogger, type LogOptions } from '../src/log.ts';

async function logged(
  options: Partial<LogOptions>,
  write: (log: Awaited<ReturnType<typeof createLogger>>) => void,
) {
  let text = '';
  const destination = { write: (line: string) => (text += line) };
  write(await createLogger({ level: 'info', pretty: false, destination, ...options }));
  return text;
}

test('a line is one JSON object with the level by its name, the fields and the message', async () => {
  const text = await logged({}, (log) => log.warn({ target: 'orders-db', ms: 5 }, 'target failed'));
  expect(text.endsWith('\n')).toBe(true);
  expect(JSON.parse(text)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    target: 'orders-db',
    ms: 5,
    msg: 'target failed',
  });
});

test.each([
  ['error', 1],
  ['warn', 2],
  ['info', 3],
  ['debug', 4],
  ['silent', 0],
] as const)('the level %s lets %i of the four kinds through', async (level, count) => {
  const text = await logged({ level }, (log) => {
    for (const kind of ['error', 'warn', 'info', 'debug'] as const) log[kind]({}, kind);
  });
  expect(text.split('\n').filter(Boolean)).toHaveLength(count);
});

test('an error is its code, message and hint; its stack and causes are for debug', async () => {
  const err = new FatalError('state-locked', 'locked by pid 1', { cause: new Error('the cause') });
  const quiet = await logged({}, (log) => log.error({ err }, 'failed'));
  expect(JSON.parse(quiet).err).toEqual({ code: 'state-locked', message: 'locked by pid 1', hint: err.hint });
  const loud = await logged({ level: 'debug' }, (log) => log.error({ err }, 'failed'));
  expect(JSON.parse(loud).err).toMatchObject({
    stack: expect.stringContaining('log.test.ts'),
    cause: { message: 'the cause' },
  });
});

const canary = 'cänary "secret"\\/+';
const planted = {
  url: `https://example.com/?q=${encodeURIComponent(canary)}`,
  nested: { list: [canary, { [canary]: canary }] },
  err: new Error(`request with ${canary} failed`, { cause: new Error(canary) }),
  lines: `a\n${canary}`,
};

test.each([
  ['JSON', false, 'debug'],
  ['text', true, 'debug'],
  ['text', true, 'info'],
] as const)('no secret gets into a line of %s, wherever it stands', async (_, pretty, level) => {
  const text = await logged({ level, pretty, secrets: [canary] }, (log) => log.error(planted, 'planted'));
  expect(text).toContain('planted');
  expect(text).toContain('***');
  expect(text).not.toMatch(/c(ä|%C3%A4|\\u00e4)nary/i);
});

test('control characters in a field do not reach a terminal', async () => {
  const text = await logged({ pretty: true }, (log) =>
    log.info({ title: '\u001b[2J\u009b31m\u202ex' }, 'page'),
  );
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  expect(text).toContain('u{1b}');
});

test('for people a line is time, level, message and fields', async () => {
  const text = await logged({ pretty: true }, (log) => log.info({ target: 'orders-db' }, 'target read'));
  expect(text).toMatch(/^\[\d\d:\d\d:\d\d] INFO: target read \{"target":"orders-db"\}\n$/);
});

test('a value that cannot be written does not stop the program', async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const text = await logged({}, (log) => log.info({ circle, big: 1n }, 'odd'));
  expect(text).toContain('odd');
});
