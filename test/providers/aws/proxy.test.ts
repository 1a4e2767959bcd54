import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { provider } from '../../../providers/aws/security-group.ts';
import { US } from '../../provider-suite.ts';
import { testIo } from '../../support/io.ts';
import { ALLOW, NO_GROUP } from './fixture.ts';

/** A proxy that writes down where it is asked to connect, and reaches nobody. */
async function startProxy() {
  const asked: string[] = [];
  const proxy = createServer().on('connect', ({ url }, socket) => {
    asked.push(url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

async function read() {
  const env = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret' };
  const options = provider.options.parse({ region: 'us-west-2', groupId: NO_GROUP, allow: ALLOW });
  const opened = await provider.open({ identity: US, options, baseDir: '/' }, testIo({ env }));
  return opened.read();
}

test('HTTPS_PROXY is honoured, and a proxy that reaches nobody is a failure that may pass', async () => {
  const proxy = await startProxy();
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(read()).rejects.toMatchObject({ transient: true });
  expect(new Set(proxy.asked)).toEqual(new Set(['ec2.us-west-2.amazonaws.com:443']));
});
