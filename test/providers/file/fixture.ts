import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provider } from '../../../providers/file/file.ts';
import { formatMarker, type Marker } from '../../../providers/provider.ts';
import type { Fixture } from '../../support/fixture.ts';

export type FileFormat = 'text' | 'json' | 'nginx';

/** A target file in a folder of its own, and the hands of somebody with an editor. */
export async function makeFileFixture(format: FileFormat): Promise<Fixture & { readonly path: string }> {
  const baseDir = await mkdtemp(join(tmpdir(), 'allowlist-file-'));
  const path = join(baseDir, 'allowlist');
  const content = () => readFile(path, 'utf8').catch(() => '');
  const lineOf = (cidr: string) => (format === 'nginx' ? `allow ${cidr};` : cidr);
  return {
    ...{ provider, baseDir, path },
    options: { path: 'allowlist', format },
    services: [{ protocol: null, ports: null }],
    missing: { options: { path: 'no-folder/allowlist' }, mention: join(baseDir, 'no-folder', 'allowlist') },
    addByHand: async (cidr, _service, marker) => {
      await writeFile(path, withAddress(await content(), format, cidr, lineOf(cidr), marker));
    },
    removeByHand: async (cidr) => {
      const before = await content();
      const after =
        format === 'json'
          ? jsonWith(before, (cidrs) => cidrs.filter((other) => other !== cidr))
          : before.replaceAll(`${lineOf(cidr)}\n`, '');
      await writeFile(path, after);
    },
    current: async () => {
      const cidrs = addressesIn(await content(), format);
      return [...new Set(cidrs)].map((cidr) => ({ cidr, protocol: null, ports: null }));
    },
    close: () => rm(baseDir, { recursive: true }),
  };
}

function withAddress(
  content: string,
  format: FileFormat,
  cidr: string,
  line: string,
  marker?: Marker,
): string {
  if (format === 'json')
    return content === ''
      ? JSON.stringify({ ...marker, cidrs: [cidr] })
      : jsonWith(content, (cidrs) => [...cidrs, cidr]);
  if (!marker) return `${line}\n${content}`;
  return `${content}# BEGIN ${formatMarker(marker)}\n${line}\n# END ${formatMarker(marker)}\n`;
}

function jsonWith(content: string, change: (cidrs: string[]) => string[]): string {
  const document: { cidrs: string[] } = JSON.parse(content);
  return JSON.stringify({ ...document, cidrs: change(document.cidrs) });
}

/** As a program that uses the file would read it. */
function addressesIn(content: string, format: FileFormat): string[] {
  if (format === 'json') return content === '' ? [] : (JSON.parse(content) as { cidrs: string[] }).cidrs;
  const lines = content.split(/\r?\n/).map((line) => line.replace(/#.*/, '').trim());
  const addresses = format === 'text' ? lines : lines.map((line) => line.match(/^allow (.*);$/)?.[1] ?? '');
  return addresses.filter((address) => address !== '');
}
