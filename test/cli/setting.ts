import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { type Workplace, workplace } from '../support/cli.ts';
import { addresses } from '../support/pass.ts';
import { errorOf, expectNoStack } from './documents.ts';

export const LIST = addresses(3);
/** Nobody listens there. */
export const NOWHERE = 'http://127.0.0.1:9';
/** Long enough to start in, and short enough to give up in. */
export const IMPATIENT = { removalDelay: '0s', deadline: '2s' };

/** An installation whose one source publishes {@link LIST}. */
export function withList(config: Record<string, unknown>, env: Record<string, string> = {}): Workplace {
  const place = workplace(config, env);
  place.write('list.txt', LIST.join('\n'));
  return place;
}

/** One or two lines on stderr, nothing on stdout, and the same in a document when one is asked for. */
export async function refusal(
  place: Workplace,
  args: string[],
  expected: { code: number; error: string },
): Promise<string> {
  const [text, json] = await Promise.all([place.run(...args), place.json(...args)]);
  for (const ran of [text, json]) {
    expect(ran.code, ran.stderr + ran.stdout).toBe(expected.code);
    expectNoStack(ran);
  }
  expect(text.stdout).toBe('');
  expect(text.stderr).toMatch(/^error {2}\S.*\n(?: {2}\S.*\n)* {7}\S.*\n$/);
  expect(json.stderr).toBe('');
  const isPass = args.some((word) => word === 'sync' || word === 'check');
  const error = errorOf(json, isPass ? 'report' : 'error');
  expect(error.code).toBe(expected.error);
  expect(text.stderr).toBe(`error  ${error.message}\n       ${error.hint}\n`);
  return text.stderr;
}

/** A web server that answers every path by what `pages` holds; anything else is 404. */
export async function serve(
  pages: Record<string, { status?: number; headers?: Record<string, string>; body?: string }>,
) {
  const server = createServer(({ url = '' }, response) => {
    const {
      status = 200,
      headers = { 'content-type': 'text/plain' },
      body = '',
    } = pages[url] ?? { status: 404 };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
