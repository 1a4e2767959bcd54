import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cli, FILE_TARGET, type Workplace, workplace } from '../support/cli.ts';
import { addresses, awsCloud, gcpCloud } from '../support/pass.ts';

const HOOK = fileURLToPath(new URL('modules.js', import.meta.url));

/** The packages that one run loads, and our own files by their names below dist/. */
async function loadedBy(
  place: Workplace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ packages: Set<string>; paths: string[]; own: string[] }> {
  const list = place.path('modules');
  rmSync(list, { force: true });
  const node = ['--import', HOOK];
  const ran = await cli(args, { cwd: place.dir, node, env: { ...env, LIST_MODULES_IN: list } });
  expect(ran.code, ran.stderr).toBe(0);
  const paths = place.read('modules').split('\n');
  const packages = paths.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  const own = paths.flatMap(
    (path) => /\/dist\/(.+)$/.exec(path.replace(/.*\/node_modules\/.*/, ''))?.[1] ?? [],
  );
  return { packages: new Set(packages), paths, own };
}

const isCloud = (name: string) => /^@?(aws-sdk|smithy|google|gaxios|gcp-|grpc)/.test(name);
const isParser = (name: string) => /^(parse5|mdast|micromark|acorn|estree)/.test(name);

async function installed() {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const targets = [aws.target(), gcp.target(), FILE_TARGET];
  const place = workplace({ targets });
  place.write('list.txt', addresses(2).join('\n'));
  return { place, targets, env: { ...aws.env, ...gcp.env } };
}

test('--version loads two files of ours, and no package', async () => {
  const { place } = await installed();
  const { packages, own } = await loadedBy(place, ['--version']);
  expect([...packages]).toEqual([]);
  expect(own.sort()).toEqual(['src/cli.js', 'src/version.js']);
});

test('--help loads the parser of arguments, and no other package', async () => {
  const { place } = await installed();
  expect([...(await loadedBy(place, ['--help'])).packages]).toEqual(['commander']);
});

test.each([['validate'], ['history'], ['held']])(
  '%s loads no cloud SDK, no HTTP client, no parser of documents and no log, with targets on both clouds',
  async (command) => {
    const { place, env } = await installed();
    const { packages, own } = await loadedBy(place, [command], env);
    expect([...packages].filter((name) => isCloud(name) || isParser(name))).toEqual([]);
    for (const name of ['undici', 'pino', 'pino-pretty', 'p-retry']) expect(packages).not.toContain(name);
    expect(own).not.toContain('src/run.js');
    expect(own.filter((path) => path.startsWith('src/emulators'))).toEqual([]);
  },
);

test('a run loads the SDKs of its targets and of no others, and no parser, HTTP client or log that it does not need', async () => {
  const { place, targets, env } = await installed();
  const sync = async (...names: string[]) => {
    place.configure({ targets: targets.filter(({ name }) => names.includes(String(name))) });
    return loadedBy(place, ['sync'], env);
  };
  const [aws, gcp, file] = [await sync('orders'), await sync('analytics'), await sync('edge')];
  for (const { packages } of [aws, gcp, file]) {
    expect([...packages].filter(isParser)).toEqual([]);
    for (const name of ['undici', 'pino', 'pino-pretty']) expect(packages).not.toContain(name);
  }
  const ofGoogle = (name: string) => /google|gaxios|gcp-|grpc|protobuf/.test(name);
  expect(aws.packages).toContain('@aws-sdk/client-ec2');
  expect([...aws.packages].filter(ofGoogle)).toEqual([]);
  expect(gcp.packages).toContain('@google-cloud/compute');
  expect([...gcp.packages].filter((name) => /aws-sdk|smithy/.test(name))).toEqual([]);
  expect([...file.packages].filter(isCloud)).toEqual([]);
});

test('a target that the run leaves out costs no SDK', async () => {
  const { place, env } = await installed();
  const { packages } = await loadedBy(place, ['sync', '--target', 'edge'], env);
  expect([...packages].filter(isCloud)).toEqual([]);
});

test('of the Compute package the two clients are loaded that are needed, and not its index', async () => {
  const { place, targets, env } = await installed();
  place.configure({ targets: targets.slice(1, 2) });
  const { paths } = await loadedBy(place, ['sync'], env);
  const ofCompute = paths.filter((path) => path.includes('/@google-cloud/compute/') && path.endsWith('.js'));
  const names = ofCompute.map((path) => /compute\/(.*)$/.exec(path)?.[1]);
  expect([...new Set(names)].sort()).toEqual([
    'build/src/v1/firewalls_client.js',
    'build/src/v1/global_operations_client.js',
  ]);
});

test('a source loads the parser of its own format', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  const page = '<!doctype html><html><body><h2>IP addresses</h2><ul><li>34.19.100.1</li></ul></body></html>';
  place.write('page.html', page);
  place.configure({ targets: [FILE_TARGET], sources: [{ type: 'file', path: 'page.html', format: 'html' }] });
  const { packages } = await loadedBy(place, ['sources']);
  expect([...packages].filter(isParser)).toEqual(['parse5']);
});
